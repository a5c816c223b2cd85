/** The weights with known answers, against the eager forward pass. */
import "@pretrain/tensorflow-native";
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertClose } from "@pretrain/golden";
import { logits, type ModelShape, parameterShapes, predictions } from "@pretrain/model";
import { nextTokenLosses } from "@pretrain/scoring";
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { cycleLength, oracle, zeroWeights } from "./index.ts";

const small: ModelShape = {
  vocabularySize: 50,
  dim: 16,
  layers: 2,
  heads: 4,
  keyValueHeads: 2,
  hiddenDim: 24,
  normEps: 1e-5,
  ropeTheta: 1e4,
  maxSequenceLength: 40,
};
const shapes = fc.constantFrom(
  small,
  { ...small, dim: 8, heads: 1, keyValueHeads: 1, layers: 1, hiddenDim: 9 },
  { ...small, dim: 64, hiddenDim: 70, normEps: 1e-3 },
);

test("with zero weights every token costs ln V", () => {
  const losses = eagerLosses(small, zeroWeights(small), [1, 7, 7, 0, 49, 3]);
  assertClose(losses, Array(5).fill(Math.log(50)), 1e-6);
});

test("each token costs behind each other what the closed form says: 0 where the cycle goes on, 40 to 60 where it breaks", () => {
  fc.assert(
    fc.property(shapes, fc.integer({ min: 1, max: 1000 }), (shape, seed) => {
      const cycle = tokensOfCycle(shape, seed);
      const known = oracle(shape, cycle);
      const row = Array.from({ length: 40 }, (_, index) => (index * seed + index ** 2) % shape.vocabularySize);
      const mixed = [...cycle.slice(0, 5), ...row.slice(0, 30), ...cycle.slice(-4)].slice(0, 39);
      const found = eagerLosses(shape, known.weights, mixed);
      const expected = mixed.slice(1).map((target, index) => known.lossAfter(mixed[index] ?? -1, target));
      assertClose(found, expected, { relative: 2e-6 });
    }),
    { seed: 1, numRuns: 30 },
  );
});

test("along the cycle a token costs less than 1e-12 nats; one place early or late, or the token just read, at least 35", () => {
  const cycle = tokensOfCycle(small, 3);
  const { lossAfter } = oracle(small, cycle);
  const at = (place: number) => cycle[(place + cycle.length) % cycle.length] ?? -1;
  for (const place of cycle.keys()) {
    assert.ok(lossAfter(at(place), at(place + 1)) < 1e-12);
    for (const wrong of [place - 1, place, place + 2]) assert.ok(lossAfter(at(place), at(wrong)) > 35);
  }
  const breaks = cycle.map((token, place) => lossAfter(token, at(place + 2)));
  const distances = breaks.flatMap((one, place) => breaks.slice(0, place).map((other) => Math.abs(one - other)));
  assert.ok(Math.min(...distances) > 0.1, "two breaks cost the same: rows could be exchanged unseen");
});

test("behind a token that is not of the cycle every token costs ln V", () => {
  const [first = -1, ...others] = tokensOfCycle(small, 5);
  const { lossAfter, weights } = oracle(small, others);
  assert.equal(lossAfter(first, others[0] ?? -1), Math.log(50));
  assertClose(eagerLosses(small, weights, [first, others[0] ?? -1]), [Math.log(50)], 1e-6);
});

test("the oracle's likeliest next token is the cycle's", () => {
  const cycle = tokensOfCycle(small, 7);
  const tokens = tf.tensor2d([cycle], [1, cycle.length], "int32");
  const scores = logits(onDevice(small, oracle(small, cycle).weights), tokens, small);
  assert.deepEqual([...tf.argMax(scores, 2).dataSync()], [...cycle.slice(1), cycle[0]]);
});

test("a cycle's length is the largest prime that fits, 61 at most", () => {
  const lengths = [3, 4, 16, 61, 512].map((dim) =>
    cycleLength({ ...small, dim, hiddenDim: 1408, vocabularySize: 6400 }),
  );
  assert.deepEqual(lengths, [3, 3, 13, 61, 61]);
  assert.equal(cycleLength({ ...small, hiddenDim: 5 }), 5);
});

test("a cycle that the model cannot hold is refused", () => {
  assert.throws(() => oracle(small, [1, 2]), /3 to 16/);
  assert.throws(
    () =>
      oracle(
        small,
        Array.from({ length: 17 }, (_, token) => token),
      ),
    /3 to 16/,
  );
  assert.throws(() => oracle(small, [1, 2, 1]), /twice/);
  assert.throws(() => oracle(small, [1, 2, 50]), /token 50; the vocabulary has 50/);
});

function tokensOfCycle(shape: ModelShape, seed: number): number[] {
  const step = [7, 3, 9, 11][seed % 4] ?? 7; // none divides 50
  return Array.from({ length: cycleLength(shape) }, (_, place) => (seed + place * step) % shape.vocabularySize);
}

function onDevice(shape: ModelShape, weights: ReadonlyMap<string, Float32Array>) {
  const lengths = parameterShapes(shape);
  return Object.fromEntries(
    [...weights].map(([name, data]) => [name, tf.tensor(data, [...(lengths.get(name) ?? [])])]),
  );
}

function eagerLosses(shape: ModelShape, weights: ReadonlyMap<string, Float32Array>, row: readonly number[]) {
  const tokens = tf.tensor2d([...row], [1, row.length], "int32");
  const predicted = predictions(onDevice(shape, weights), tokens, shape);
  return nextTokenLosses(predicted, tokens, tf.ones([1, row.length])).dataSync<"float32">();
}
