/** From C++ sources to a shared library beside TensorFlow's own, which it finds there at run time. */
import { execFile } from "node:child_process";
import { realpathSync } from "node:fs";
import { mkdtemp, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { FailedPrecondition, hasErrorCode } from "@pretrain/errors";

export interface Compilation {
  /** Absolute paths. Each is compiled by itself, all at the same time. */
  readonly sources: readonly string[];
  /** Absolute paths of folders with headers, besides TensorFlow's and Node's. */
  readonly includes: readonly string[];
  readonly flags: readonly string[];
}

/** @throws FailedPrecondition if there is no g++. */
export async function expectCompiler(): Promise<void> {
  await compiler(["--version"]);
}

/**
 * Compiles and links `folder`/`output`, which appears whole or not at all. `folder` is one with TensorFlow's libraries and the
 * headers of its C API; they are found by `$ORIGIN`, so it can be renamed.
 */
export async function compile(
  { sources, includes, flags }: Compilation,
  folder: string,
  output: string,
): Promise<void> {
  const building = await mkdtemp(join(folder, ".compile-"));
  try {
    const headers = [nodeHeaders, join(folder, "include"), ...includes].flatMap((path) => ["-I", path]);
    const objects = await Promise.all(
      sources.map(async (source) => {
        const object = join(building, `${basename(source)}.o`);
        await compiler(["-c", "-fPIC", "-std=c++17", ...flags, ...headers, "-o", object, source]);
        return object;
      }),
    );
    const libraries = [
      "-L",
      folder,
      "-l:libtensorflow_cc.so.2",
      "-l:libtensorflow_framework.so.2",
      "-Wl,-rpath,$ORIGIN",
    ];
    const linked = join(building, output);
    await compiler(["-shared", "-o", linked, ...objects, ...libraries]);
    await rename(linked, join(folder, output));
  } finally {
    await rm(building, { recursive: true, force: true });
  }
}

/** The npm package that Node comes from carries its headers. N-API keeps what is built valid for other versions of Node. */
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
