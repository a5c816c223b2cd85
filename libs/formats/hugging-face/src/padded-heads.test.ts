/** Wider heads, in numbers small enough to check by hand; that the model stays the same is the export's own proof. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { InvalidArgument } from "@pretrain/errors";
import { paddedShape, paddedWeights } from "./padded-heads.ts";

const shape = {
  vocabularySize: 3,
  dim: 2,
  layers: 1,
  heads: 2,
  keyValueHeads: 1,
  headDim: 2,
  hiddenDim: 4,
  normEps: 1e-5,
  ropeTheta: 1e4,
  maxSequenceLength: 8,
};
const weights = new Map([
  ["norm.weight", Float32Array.of(1, 1)],
  ["layers.0.attention.wq.weight", Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8)], // two heads of two rows
  ["layers.0.attention.wk.weight", Float32Array.of(1, 2, 3, 4)],
  ["layers.0.attention.wv.weight", Float32Array.of(1, 2, 3, 4)],
  ["layers.0.attention.wo.weight", Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8)], // two rows, two heads of two columns
]);

test("four times as wide: pairs apart, queries doubled, values and their readers padded with zeros", () => {
  const wide = paddedWeights(weights, shape, paddedShape(shape, 8));
  const zeros = (count: number) => Array.from({ length: count }, () => 0);
  const found = (name: string) => [...(wide.get(name) ?? [])];
  assert.deepEqual(found("layers.0.attention.wq.weight"), [2, 4, 6, 8, ...zeros(12), 10, 12, 14, 16, ...zeros(12)]);
  assert.deepEqual(found("layers.0.attention.wk.weight"), [1, 2, 3, 4, ...zeros(12)]);
  assert.deepEqual(found("layers.0.attention.wv.weight"), [1, 2, 3, 4, ...zeros(12)]);
  const z = zeros(6);
  assert.deepEqual(found("layers.0.attention.wo.weight"), [1, 2, ...z, 3, 4, ...z, 5, 6, ...z, 7, 8, ...z]);
  assert.equal(wide.get("norm.weight"), weights.get("norm.weight"));
});

test("of two pairs the second goes to the pair that turns as it did", () => {
  const twoPairs = { ...shape, heads: 1, headDim: 4, dim: 1 };
  const keys = new Map([["layers.0.attention.wk.weight", Float32Array.of(1, 2, 3, 4)]]);
  const wide = paddedWeights(keys, twoPairs, paddedShape(twoPairs, 8));
  assert.deepEqual([...(wide.get("layers.0.attention.wk.weight") ?? [])], [1, 2, 0, 0, 3, 4, 0, 0]);
});

for (const headDim of [3, 1, 5]) {
  test(`${headDim} numbers for heads of 2: refused`, () => {
    const isRefused = (error: unknown) =>
      error instanceof InvalidArgument && error.violations[0]?.field === "pad_head_dim";
    assert.throws(() => paddedShape(shape, headDim), isRefused);
  });
}
