/** Reading /proc/cpuinfo. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { processor } from "./processor.ts";

test("the model and the decisive features are read from the first processor, others left out", () => {
  const cpuinfo = [
    "processor\t: 0",
    "model name\t: AMD EPYC 9R14",
    "flags\t\t: fpu sse4_2 avx avx2 fma avx512f avx512_bf16x",
    "",
    "processor\t: 1",
    "model name\t: other",
    "flags\t\t: amx_bf16",
  ].join("\n");
  assert.deepEqual(processor(cpuinfo), { cpuModel: "AMD EPYC 9R14", cpuFeatures: ["avx2", "fma", "avx512f"] });
});

test("a machine that tells nothing is described as unknown", () => {
  assert.deepEqual(processor(""), { cpuModel: "unknown", cpuFeatures: [] });
});
