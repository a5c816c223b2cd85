import "@pretrain/tensorflow-native";
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertClose } from "@pretrain/golden";
import * as tf from "@tensorflow/tfjs-core";
import { attentionGradients, causalAttention } from "./attention.ts";

/** Attention as it is written in the papers: keys repeated for each query head, the whole square, a mask of -∞. */
function plainAttention(q: tf.Tensor5D, k: tf.Tensor4D, v: tf.Tensor4D): tf.Tensor5D {
  const [, , group, queries, headDim] = q.shape;
  const [, , keys] = k.shape;
  const repeated = (x: tf.Tensor4D): tf.Tensor5D => tf.concat(Array<tf.Tensor5D>(group).fill(tf.expandDims(x, 2)), 2);
  const future = tf.tensor2d(
    Array.from({ length: queries }, (_, i) =>
      Array.from({ length: keys }, (_, j) => (j > keys - queries + i ? Number.NEGATIVE_INFINITY : 0)),
    ),
  );
  const scores = tf.div(tf.matMul(q, repeated(k), false, true), Math.sqrt(headDim));
  return tf.matMul(tf.softmax(tf.add(scores, future)), repeated(v));
}

interface Case {
  readonly queries: number;
  readonly keys: number;
  readonly chunk: number;
  readonly group: number;
}

const lengths = [1, 2, 3, 5, 8, 13];
const cases: Case[] = lengths.flatMap((queries) =>
  [0, 1, 6].flatMap((past) =>
    [1, 2, 4, 13, 128].map((chunk) => ({ queries, keys: queries + past, chunk, group: 1 + ((queries + chunk) % 3) })),
  ),
);

const inputs = ({ queries, keys, group }: Case): [tf.Tensor5D, tf.Tensor4D, tf.Tensor4D] => [
  tf.randomNormal([2, 2, group, queries, 4], 0, 2, "float32", 1),
  tf.randomNormal([2, 2, keys, 4], 0, 2, "float32", 2),
  tf.randomNormal([2, 2, keys, 4], 0, 1, "float32", 3),
];

void test("chunked attention equals plain attention, and so do its gradients, for every sequence, cache and chunk length", () => {
  for (const each of cases) {
    tf.tidy(() => {
      const [q, k, v] = inputs(each);
      const weighting: tf.Tensor5D = tf.randomNormal(q.shape, 0, 1, "float32", 4); // so that every output has its own gradient
      const plain = tf.grads((...[a, b, c]) =>
        tf.sum(tf.mul(weighting, plainAttention(a as tf.Tensor5D, b as tf.Tensor4D, c as tf.Tensor4D))),
      );
      const value = causalAttention(q, k, v, each.chunk);
      const { dq, dk, dv } = attentionGradients(weighting, q, k, v, value, each.chunk);
      const chunked = [value, dq, dk, dv].map((tensor) => tensor.dataSync());
      const expectations = [plainAttention(q, k, v), ...plain([q, k, v])].map((tensor) => tensor.dataSync());
      for (const [index, expected] of expectations.entries()) {
        const what = `${["value", "dq", "dk", "dv"][index]} of ${JSON.stringify(each)}`;
        assertClose(chunked[index] ?? [], expected, 1e-5, what);
      }
    });
  }
});

void test("the first position reads only itself, the last one the mean of all when its query is 0", () => {
  const q = tf.zeros<tf.Rank.R5>([1, 1, 1, 3, 2]);
  const k = tf.randomNormal<tf.Rank.R4>([1, 1, 3, 2]);
  const v = tf.tensor4d([1, 2, 3, 4, 8, 12], [1, 1, 3, 2]);
  assertClose(causalAttention(q, k, v, 2).dataSync(), [1, 2, 2, 3, 4, 6], 1e-6);
});

void test("scores of hundreds make neither infinity nor NaN, forwards or backwards", () => {
  const [q, k, v] = inputs({ queries: 5, keys: 5, chunk: 2, group: 2 });
  const large: tf.Tensor5D = tf.mul(q, 1e3);
  const value = causalAttention(large, k, v, 2);
  const { dq } = attentionGradients(tf.onesLike(value), large, k, v, value, 2);
  assert.ok(value.dataSync().every(Number.isFinite));
  assert.ok(dq.dataSync().every(Number.isFinite));
});
