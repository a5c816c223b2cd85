/** The attention kernel and its gradient against the same mathematics as a plain graph that holds the whole square of scores. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { assertClose, on, precisions, processorHasLibrary, random, run } from "./testing.ts";

interface Case {
  readonly batch: number;
  readonly sequence: number;
  readonly keyValueHeads: number;
  readonly group: number;
  readonly size: number;
}

const cases: fc.Arbitrary<Case> = fc.record({
  batch: fc.constantFrom(1, 2),
  sequence: fc.constantFrom(1, 2, 7, 15, 16, 17, 33, 64, 65, 130),
  keyValueHeads: fc.constantFrom(1, 2, 3),
  group: fc.constantFrom(1, 2, 4),
  size: fc.constantFrom(8, 16, 24, 32, 40, 64, 80, 128),
});
const skip = processorHasLibrary ? false : "this processor has no library";

for (const { backend, tolerance } of precisions) {
  test(`on ${backend}, reading and its gradient equal the plain graph's for all lengths, heads and sizes`, {
    skip,
  }, () => {
    fc.assert(
      fc.property(cases, fc.integer({ min: 1, max: 1e6 }), (shape, seed) => {
        tf.tidy(() => {
          const { qkv, cos, sin, gradient } = inputs(shape, seed);
          const expected = plain(qkv, cos, sin, gradient, shape);
          const [y, logSumExp, dqkv] = on(backend, () => kernel(qkv, cos, sin, gradient, shape));
          assertClose(y, expected.y, tolerance, "y");
          assertClose(logSumExp, expected.logSumExp, tolerance, "log-sum-exp");
          assertClose(dqkv, expected.dqkv, tolerance, "dqkv");
        });
      }),
      { numRuns: 30, seed: 1 },
    );
  });
}

test("what a position reads depends on nothing behind it, not in a single bit", { skip }, () => {
  const shape = { batch: 1, sequence: 40, keyValueHeads: 1, group: 2, size: 16 };
  const { qkv, cos, sin, gradient } = inputs(shape, 3);
  const early = (tensor: tf.Tensor) => tf.slice(tensor, [0, 0, 0], [1, 21, -1]).dataSync();
  const changed = tf.concat([tf.slice(qkv, [0, 0, 0], [1, 21, -1]), tf.fill([1, 19, 64], 1e3)], 1);
  const [before] = kernel(qkv, cos, sin, gradient, shape);
  const [after] = kernel(changed, cos, sin, gradient, shape);
  assert.ok(before !== undefined && after !== undefined);
  assert.deepEqual(early(after), early(before));
});

test("scores of thousands neither overflow nor lose the largest", { skip }, () => {
  const shape = { batch: 1, sequence: 70, keyValueHeads: 1, group: 1, size: 16 };
  const { cos, sin, gradient } = inputs(shape, 4);
  const qkv = tf.mul(random([1, 70, 48], 5), 60);
  const expected = plain(qkv, cos, sin, gradient, shape);
  const [y, logSumExp, dqkv] = kernel(qkv, cos, sin, gradient, shape);
  assertClose(y, expected.y, 1e-3, "y"); // a score of 1e4 has an error of 1e-3 in float32, on both sides
  assertClose(logSumExp, expected.logSumExp, 1e-6, "log-sum-exp");
  assert.ok(dqkv?.dataSync().every(Number.isFinite));
});

test("a first position reads its own value alone", { skip }, () => {
  const [cos, sin] = [tf.ones([1, 4]), tf.zeros([1, 4])];
  const qkv = tf.tensor3d([...Array(16).fill(3), 1, 2, 3, 4, 5, 6, 7, 8], [1, 1, 24]);
  const [y, logSumExp] = run("CausalAttention", { qkv, cos, sin }, { heads: 1, keyValueHeads: 1 });
  assert.deepEqual([...(y?.dataSync() ?? [])], [1, 2, 3, 4, 5, 6, 7, 8]);
  assert.ok(Math.abs((logSumExp?.dataSync()[0] ?? 0) - 72 / Math.sqrt(8)) < 1e-5); // eight times 3 * 3
});

for (const [claim, change, message] of [
  ["a qkv without batch", { qkv: tf.zeros([3, 48]) }, /qkv must be \[batch, sequence/],
  ["cosines of another length", { cos: tf.zeros([2, 8]) }, /cos and sin must be/],
  [
    "a head of 12",
    { qkv: tf.zeros([1, 3, 36]), cos: tf.zeros([3, 6]), sin: tf.zeros([3, 6]) },
    /multiple of 8 up to 128, is 12/,
  ],
] as const) {
  test(`${claim} is refused in words`, { skip }, () => {
    const given = { qkv: tf.zeros([1, 3, 48]), cos: tf.zeros([3, 8]), sin: tf.zeros([3, 8]), ...change };
    assert.throws(() => run("CausalAttention", given, { heads: 1, keyValueHeads: 1 }), message);
  });
}

test("heads that do not fit qkv, and a missing input, are refused in words", { skip }, () => {
  const given = { qkv: tf.zeros([1, 3, 48]), cos: tf.zeros([3, 8]), sin: tf.zeros([3, 8]) };
  const attempt = (heads: number, keyValueHeads: number) => () =>
    run("CausalAttention", given, { heads, keyValueHeads });
  assert.throws(attempt(2, 1), /2 heads and 1 of keys and values make 64 columns.* qkv has 48/);
  assert.throws(
    () => run("CausalAttention", { qkv: given.qkv }, { heads: 1, keyValueHeads: 1 }),
    /needs the input cos/,
  );
  assert.throws(() => run("CausalAttention", given, { heads: 1 }), /needs the number keyValueHeads/);
});

function inputs({ batch, sequence, keyValueHeads, group, size }: Case, seed: number) {
  const angles = tf.mul(random([sequence, size / 2], seed), 3);
  return {
    qkv: random([batch, sequence, (group + 2) * keyValueHeads * size], seed + 1),
    cos: tf.cos(angles),
    sin: tf.sin(angles),
    gradient: random([batch, sequence, group * keyValueHeads * size], seed + 2),
  };
}

function kernel(qkv: tf.Tensor, cos: tf.Tensor, sin: tf.Tensor, gradient: tf.Tensor, shape: Case): tf.Tensor[] {
  const attributes = { heads: shape.group * shape.keyValueHeads, keyValueHeads: shape.keyValueHeads };
  const [y, logSumExp] = run("CausalAttention", { qkv, cos, sin }, attributes);
  assert.ok(y !== undefined && logSumExp !== undefined);
  const [dqkv] = run("CausalAttentionGradient", { qkv, cos, sin, y, logSumExp, gradient }, attributes);
  assert.ok(dqkv !== undefined);
  return [y, logSumExp, dqkv];
}

/** The definition, differentiated by tfjs. */
function plain(qkv: tf.Tensor, cos: tf.Tensor, sin: tf.Tensor, gradient: tf.Tensor, shape: Case) {
  const { batch, sequence, keyValueHeads, group, size } = shape;
  const heads = group * keyValueHeads;
  const scoresAndValues = (x: tf.Tensor) => {
    const all = tf.reshape(x, [batch, sequence, heads + 2 * keyValueHeads, size]);
    const part = (first: number, count: number) =>
      tf.transpose(tf.slice(all, [0, 0, first, 0], [batch, sequence, count, size]), [0, 2, 1, 3]); // [B, heads, S, D]
    const shared = (y: tf.Tensor) =>
      tf.reshape(tf.stack(Array<tf.Tensor>(group).fill(y), 2), [batch, heads, sequence, size]);
    const q = turned(part(0, heads), cos, sin);
    const k = shared(turned(part(heads, keyValueHeads), cos, sin));
    const v = shared(part(heads + keyValueHeads, keyValueHeads));
    const position = tf.range(0, sequence);
    const hidden = tf.less(tf.expandDims(position, 1), tf.expandDims(position, 0));
    const scores = tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(size));
    return { scores: tf.add(scores, tf.mul(tf.cast(hidden, "float32"), -1e30)), v };
  };
  const read = (x: tf.Tensor) => {
    const { scores, v } = scoresAndValues(x);
    const y = tf.matMul(tf.softmax(scores), v);
    return tf.reshape(tf.transpose(y, [0, 2, 1, 3]), [batch, sequence, heads * size]);
  };
  return {
    y: read(qkv),
    logSumExp: tf.logSumExp(scoresAndValues(qkv).scores, -1),
    dqkv: tf.grad(read)(qkv, gradient),
  };
}

/** Pairs (a, b) of the last axis to (a cos - b sin, a sin + b cos). */
function turned(x: tf.Tensor, cos: tf.Tensor, sin: tf.Tensor): tf.Tensor {
  const [a, b] = tf.unstack(tf.reshape(x, [...x.shape.slice(0, -1), -1, 2]), -1) as [tf.Tensor, tf.Tensor];
  const pairs = [tf.sub(tf.mul(a, cos), tf.mul(b, sin)), tf.add(tf.mul(a, sin), tf.mul(b, cos))];
  return tf.reshape(tf.stack(pairs, -1), x.shape);
}
