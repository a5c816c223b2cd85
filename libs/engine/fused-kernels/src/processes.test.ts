/** What must hold in any process: the same bits for any number of threads, the same numbers on a lesser processor. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ensureNativeLibrary } from "@pretrain/tensorflow-native/native-library";
import { fusedKernelsLibraries, fusedKernelsLibrary } from "./build.ts";
import { processorHasLibrary, processorVariable } from "./testing.ts";

const skip = processorHasLibrary ? false : "this processor has no library";
const isChild = process.env[processorVariable] !== undefined;

test("every output of every kernel has the same bits for 1, 2 and 5 threads", { skip }, async () => {
  const [one = "", ...others] = await Promise.all(["1", "2", "5"].map(digests));
  assert.equal(one.trim().split("\n").length, 40); // outputs of all kernels, of those that store also in bfloat16
  for (const other of others) assert.equal(other, one);
});

test("the library for processors without AVX-512 passes the same tests", { skip: skip || isChild }, async () => {
  const files = [
    "attention",
    "rms-norm",
    "swiglu",
    "softmax-cross-entropy",
    "optimizer",
    "thin-product",
    "cached-attention",
  ];
  await ensureNativeLibrary(fusedKernelsLibraries.avx2); // the set-up builds this processor's library only
  await node(["--test", ...files.map((name) => path(`./${name}.test.ts`))], { [processorVariable]: "avx2 fma" });
});

test("without AVX2 nothing is registered, and the plain graph has to do", async () => {
  const { stdout } = await node(
    [
      "--input-type=module",
      "--eval",
      `import("${path("./testing.ts")}").then((it) => console.log(it.processorHasLibrary))`,
    ],
    { [processorVariable]: "sse4_2 avx" },
  );
  assert.equal(stdout.trim(), "false");
});

test("the widest registers that a processor has choose its library", () => {
  const chosen = (flags: string) => fusedKernelsLibrary(`model name : x\nflags\t\t: ${flags}\nflags : avx2 fma`)?.name;
  assert.equal(chosen("fma avx2 avx512f avx512bw avx512dq avx512vl"), "fused-kernels-avx512");
  assert.equal(chosen("fma avx2 avx512f"), "fused-kernels-avx2"); // the first AVX-512 processors lack the rest
  assert.equal(chosen("avx2"), undefined);
  assert.equal(fusedKernelsLibrary(""), undefined);
  assert.notDeepEqual(fusedKernelsLibraries.avx2.flags, fusedKernelsLibraries.avx512.flags);
});

async function digests(threads: string): Promise<string> {
  const script = `import("${path("./testing.ts")}").then((it) => console.log(it.digestsOfAllKernels().join("\\n")))`;
  const { stdout } = await node(["--input-type=module", "--eval", script], { TF_NUM_INTRAOP_THREADS: threads });
  return stdout;
}

function node(parameters: readonly string[], environment: Readonly<Record<string, string>>) {
  const env: NodeJS.ProcessEnv = { ...process.env, ...environment };
  delete env["NODE_TEST_CONTEXT"]; // else a test runner inside of a test runs nothing
  return promisify(execFile)(process.execPath, parameters, { env, timeout: 120_000 });
}

function path(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
