/** The cross-entropy kernel against the definition, differentiated by tfjs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { assertClose, on, precisions, processorHasLibrary, random, run } from "./testing.ts";

const skip = processorHasLibrary ? false : "this processor has no library";
const shapes = fc.record({
  rows: fc.constantFrom(1, 3, 4, 13),
  vocabulary: fc.constantFrom(1, 2, 15, 16, 17, 100),
  seed: fc.integer({ min: 1, max: 1e6 }),
});

for (const { backend, tolerance } of precisions) {
  test(`on ${backend}, losses and gradient equal the plain graph's for all shapes`, { skip }, () => {
    fc.assert(
      fc.property(shapes, ({ rows, vocabulary, seed }) => {
        tf.tidy(() => {
          const logits = random([rows, vocabulary], seed, 3);
          const targets = tf.randomUniform([rows], 0, vocabulary, "int32", seed);
          const weights = tf.randomUniform([rows], 0.5, 2, "float32", seed + 1);
          const losses = (x: tf.Tensor) => plain(x, targets, weights);
          const [found, dLogits] = on(backend, () => run("SoftmaxCrossEntropy", { logits, targets, weights }));
          // A single token is certain: both sides are 0 but for rounding.
          if (vocabulary > 1) assertClose(found, losses(logits), tolerance, "losses");
          if (vocabulary > 1) assertClose(dLogits, tf.grad(losses)(logits), tolerance, "dLogits");
        });
      }),
      { numRuns: 25, seed: 1 },
    );
  });
}

test("uniform logits cost ln V, and push every token but the target down alike", { skip }, () => {
  const [losses, dLogits] = kernel([7, 7, 7, 7], [2], [2]);
  assertClose(losses, tf.tensor1d([2 * Math.log(4)]), 1e-6, "losses");
  assertClose(dLogits, tf.tensor2d([[0.5, 0.5, -1.5, 0.5]]), 1e-6, "dLogits");
});

test("logits of thousands neither overflow nor lose the difference", { skip }, () => {
  const [losses, dLogits] = kernel([5000, 5001, -5000, 0], [0], [1]);
  assertClose(losses, tf.tensor1d([Math.log(1 + Math.E)]), 1e-6, "losses");
  const share = 1 / (1 + Math.E);
  assertClose(dLogits, tf.tensor2d([[share - 1, 1 - share, 0, 0]]), 1e-6, "dLogits");
});

test("a row of weight 0 costs nothing and gives no gradient, whatever its target and its logits are", { skip }, () => {
  const [losses, dLogits] = kernel([1, 2, 3, 4, Number.NaN, 0, 0, 0, 1, 2, 3, 4], [-1, 99, 3], [0, 0, 1]);
  assert.deepEqual([...(losses?.dataSync() ?? [])].slice(0, 2), [0, 0]);
  assert.deepEqual([...(dLogits?.dataSync() ?? [])].slice(0, 8), Array(8).fill(0));
  assert.ok((losses?.dataSync()[2] ?? 0) > 0.4);
});

test("a target outside of the vocabulary is refused with its row", { skip }, () => {
  assert.throws(() => kernel([0, 0, 0, 0], [4], [1]), /target 4 of row 0 is not in \[0, 4\) and its weight is not 0/);
  assert.throws(() => kernel([0, 0, 0, 0, 0, 0, 0, 0], [1, -2], [1, 1]), /target -2 of row 1/);
});

test("shapes that do not belong together are refused in words", { skip }, () => {
  const targets = tf.zeros([2], "int32");
  const attempt = (logits: tf.Tensor, weights: tf.Tensor) => () =>
    run("SoftmaxCrossEntropy", { logits, targets, weights });
  assert.throws(attempt(tf.zeros([3, 4]), tf.ones([3])), /targets and weights must be \[3\], are \[2\] and \[3\]/);
  assert.throws(attempt(tf.zeros([4]), tf.ones([2])), /logits must be \[rows, vocabulary\], are \[4\]/);
});

test("float targets are refused", { skip }, () => {
  const [logits, weights] = [tf.zeros([2, 4]), tf.ones([2])];
  assert.throws(() => run("SoftmaxCrossEntropy", { logits, targets: tf.zeros([2]), weights }), /int32/);
});

/** @param logits of four tokens for each row */
function kernel(logits: number[], targets: number[], weights: number[]): tf.Tensor[] {
  const inputs = { logits: tf.tensor2d(logits, [targets.length, 4]), targets: tf.tensor1d(targets, "int32") };
  return run("SoftmaxCrossEntropy", { ...inputs, weights: tf.tensor1d(weights) });
}

/** weight (log Σ exp(logits) - logits[target]) of each row. */
function plain(logits: tf.Tensor, targets: tf.Tensor, weights: tf.Tensor): tf.Tensor {
  const chosen = tf.sum(tf.mul(tf.oneHot(targets as tf.Tensor1D, logits.shape[1] ?? 0), logits), 1);
  return tf.mul(tf.sub(tf.logSumExp(logits, 1), chosen), weights);
}
