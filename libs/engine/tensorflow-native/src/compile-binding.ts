/** The two C++ files of the npm package, compiled side by side and linked with TensorFlow's libraries. */
import { execFile } from "node:child_process";
import { realpathSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { FailedPrecondition, hasErrorCode } from "@pretrain/errors";
import { tfjsPackage } from "./wheel.ts";

/** @throws FailedPrecondition if there is no g++. */
export async function expectCompiler(): Promise<void> {
  await compiler(["--version"]);
}

/**
 * Compiles and links the binding as `folder`/`output`. The libraries lie in `folder` as well and are found there at run time
 * (`$ORIGIN`), so the folder can be renamed.
 */
export async function compileBinding({
  include,
  folder,
  output,
}: Record<"include" | "folder" | "output", string>): Promise<void> {
  const objects = await Promise.all(["tfjs_backend", "tfjs_binding"].map((name) => compile(name, include, folder)));
  const libraries = ["-L", folder, "-l:libtensorflow_cc.so.2", "-l:libtensorflow_framework.so.2", "-Wl,-rpath,$ORIGIN"];
  await compiler(["-shared", "-o", join(folder, output), ...objects, ...libraries]);
  await Promise.all(objects.map((object) => rm(object)));
}

async function compile(name: string, include: string, folder: string): Promise<string> {
  const object = join(folder, `${name}.o`);
  const includes = [nodeHeaders, include, tfjsPackage].flatMap((path) => ["-I", path]);
  await compiler([...flags, ...includes, "-o", object, join(tfjsPackage, "binding", `${name}.cc`)]);
  return object;
}

const flags = [
  "-c",
  "-fPIC",
  "-O2",
  "-std=c++17",
  "-w",
  "-DNAPI_VERSION=8",
  "-DNODE_GYP_MODULE_NAME=tfjs_binding",
].concat("-DBUILDING_NODE_EXTENSION");

/** The npm package that Node comes from carries its headers. N-API keeps the binding valid for other versions of Node. */
const nodeHeaders = join(realpathSync(process.execPath), "..", "..", "include", "node");

async function compiler(parameters: readonly string[]): Promise<void> {
  try {
    await promisify(execFile)("g++", parameters, { env: { ...process.env, LC_ALL: "C" }, maxBuffer: 16e6 });
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) {
      const message = "g++ is not installed, and the binding to TensorFlow is compiled with it; install g++";
      throw new FailedPrecondition("COMPILER_MISSING", message, {}, { cause: error });
    }
    const output = error instanceof Error && "stderr" in error ? String(error.stderr) : String(error);
    const complaint = output.split("\n").find((line) => /error/i.test(line)) ?? output.slice(-300);
    throw new FailedPrecondition("COMPILER_FAILED", `g++ could not build the binding to TensorFlow: ${complaint}`);
  }
}
