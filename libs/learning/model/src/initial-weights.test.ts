import assert from "node:assert/strict";
import { test } from "node:test";
import { assertClose } from "@pretrain/golden";
import { initialWeights, type ModelShape, parameterShapes } from "./index.ts";

const small: ModelShape = {
  vocabularySize: 1000,
  dim: 64,
  layers: 2,
  heads: 4,
  keyValueHeads: 2,
  hiddenDim: 192,
  normEps: 1e-5,
  ropeTheta: 1e6,
  maxSequenceLength: 16,
};

/** The rule of the docstring once more, in whole numbers of any size. */
function byTheRule(name: string, index: number, seed: number, fanIn: number): number {
  const wrap = (value: bigint) => value & 0xffffffffn;
  const mix = (value: bigint) => {
    let x = wrap(value);
    x = wrap((x ^ (x >> 16n)) * 0x85ebca6bn);
    x = wrap((x ^ (x >> 13n)) * 0xc2b2ae35n);
    return x ^ (x >> 16n);
  };
  let a = 0x811c9dc5n;
  for (const byte of Buffer.from(name)) a = wrap((a ^ BigInt(byte)) * 0x01000193n);
  const b = mix(BigInt(seed) ^ a);
  const c = mix(b + 0x9e3779b9n);
  const u = Number(mix(mix(BigInt(index) + b) ^ c)) / 2 ** 32;
  return Math.fround((2 * u - 1) / Math.sqrt(fanIn));
}

void test("every weight is the one that the written rule gives", () => {
  for (const seed of [0, 42, 2 ** 32 - 1]) {
    const weights = initialWeights(small, seed);
    for (const [name, index, fanIn] of [
      ["tok_embeddings.weight", 0, 64],
      ["tok_embeddings.weight", 63_999, 64],
      ["layers.1.feed_forward.w2.weight", 777, 192],
    ] as const) {
      assert.equal(weights.get(name)?.[index], byTheRule(name, index, seed, fanIn));
    }
  }
});

void test("matrices are uniform in ±1/√fan_in, norms are 1, and all have the model's shapes", () => {
  const weights = initialWeights(small, 42);
  assert.deepEqual([...weights.keys()], [...parameterShapes(small).keys()]);
  for (const [name, [outer = 1, fanIn]] of parameterShapes(small)) {
    const values = weights.get(name) ?? new Float32Array();
    assert.equal(values.length, outer * (fanIn ?? 1), name);
    if (fanIn === undefined) assert.ok(values.every((value) => value === 1));
    else assertUniform(values, 1 / Math.sqrt(fanIn), name);
  }
});

function assertUniform(values: Float32Array, bound: number, name: string): void {
  const standardError = bound / Math.sqrt(3 * values.length);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const meanSquare = values.reduce((sum, value) => sum + value * value, 0) / values.length;
  assertClose(mean, 0, 5 * standardError, `mean of ${name}`);
  assertClose(meanSquare, bound ** 2 / 3, 5 * bound * standardError, `mean square of ${name}`);
  assert.ok(values.every((value) => Math.abs(value) <= Math.fround(bound)));
  assert.ok(Math.max(...values) > 0.98 * bound && Math.min(...values) < -0.98 * bound, name);
}

void test("tensors, neighbours and seeds have nothing to do with one another", () => {
  const weights = initialWeights(small, 42);
  const wq = weights.get("layers.0.attention.wq.weight") ?? new Float32Array();
  assertClose(correlation(wq, weights.get("layers.1.attention.wq.weight")), 0, 0.08, "of two layers");
  assertClose(correlation(wq, weights.get("layers.0.attention.wo.weight")), 0, 0.08, "of two matrices of a layer");
  assertClose(correlation(wq.subarray(1), wq.subarray(0, -1)), 0, 0.08, "of neighbours");
  assertClose(correlation(wq, initialWeights(small, 43).get("layers.0.attention.wq.weight")), 0, 0.08, "of two seeds");
});

/** Pearson's; with 4,096 pairs its standard error is 0.016. */
function correlation(a: Float32Array, b: Float32Array = new Float32Array()): number {
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, index) => sum + value * (y[index] ?? NaN), 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

void test("a deeper model has the same first layers", () => {
  const shallow = initialWeights(small, 7);
  const deep = initialWeights({ ...small, layers: 3 }, 7);
  for (const [name, values] of shallow) assert.deepEqual(deep.get(name), values, name);
});
