/**
 * The contracts in proto/ as TypeScript, written by buf and protoc-gen-es. A stamp among the generated files holds the digest of
 * all that they depend on; it is written last, so that an interrupted run counts as none.
 */
import { createHash } from "node:crypto";
import { glob, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FailedPrecondition, hasErrorCode } from "@pretrain/errors";
import { checkout, runProgram } from "./checkout.ts";

/**
 * Generates unless nothing has changed since the last time.
 *
 * @throws FailedPrecondition with buf's complaints, which name file and line
 */
export async function ensureGeneratedContracts(started: () => void, workspace = checkout): Promise<void> {
  const stamp = join(workspace, "proto/src/gen/.inputs.sha256");
  const digest = await inputsDigest(workspace);
  if (digest === (await textOf(stamp))) return;
  started();
  const { code, output } = await runProgram("buf", ["generate"], workspace);
  if (code !== 0) throw new FailedPrecondition("CONTRACTS", `buf cannot generate code from proto/: ${output.trim()}`);
  await writeFile(stamp, digest);
}

/** The contracts of others as their packages ship them, ours, the configuration, and the versions of the two generators. */
const inputs = [
  "proto/*/**/*.proto",
  "setup/node_modules/grpc-health-check/proto/**/*.proto",
  "setup/node_modules/@grpc/reflection/build/proto/grpc/**/*.proto",
  "buf.yaml",
  "buf.gen.yaml",
  "node_modules/@bufbuild/{buf,protoc-gen-es}/package.json",
];

async function inputsDigest(workspace: string): Promise<string> {
  const files = (
    await Array.fromAsync(glob(inputs, { cwd: workspace, exclude: ["proto/node_modules", "proto/src"] }))
  ).sort();
  const hash = createHash("sha256");
  for (const file of files) {
    const content = await readFile(join(workspace, file));
    hash.update(`${file} ${content.length}\n`).update(content);
  }
  return hash.digest("hex");
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return undefined;
    throw error;
  }
}
