/** The native backend computes, differentiates and repeats itself, for everyone who imports tfjs-core. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as core from "@tensorflow/tfjs-core";
import { matMul, tensor2d } from "@tensorflow/tfjs-core";
import { describeTensorFlow, tf } from "./index.ts";

test("tfjs-core imported by name is the instance whose backend is native TensorFlow", () => {
  assert.equal(core.engine(), tf.engine());
  assert.equal(core.getBackend(), "tensorflow");
  const product = matMul(tensor2d([1, 2, 3, 4], [2, 2]), tensor2d([5, 6, 7, 8], [2, 2]));
  assert.deepEqual([...product.dataSync()], [19, 22, 43, 50]);
});

test("topk, which throws under newer Nodes without the patch, gives values and indices", () => {
  const { values, indices } = tf.topk(tf.tensor1d([1, 7, 3, 5]), 2);
  assert.deepEqual([...values.dataSync()], [7, 5]);
  assert.deepEqual([...indices.dataSync()], [1, 3]);
});

test("the gradient of the sum of x³y is 3x²y for x and x³ for y", () => {
  const loss = (x: tf.Tensor, y: tf.Tensor) => tf.sum<tf.Scalar>(tf.mul(tf.mul(x, tf.mul(x, x)), y));
  const { value, grads } = tf.valueAndGrads(loss)([tf.tensor1d([1, 2]), tf.tensor1d([10, 100])]);
  assert.deepEqual([...value.dataSync()], [810]);
  assert.deepEqual(
    grads.map((gradient) => [...gradient.dataSync()]),
    [
      [30, 1200],
      [1, 8],
    ],
  );
});

test("wrong shapes reach the caller as an error, not as a crash", () => {
  assert.throws(() => tf.matMul(tf.zeros([2, 3]), tf.zeros([2, 3])), /incompatible|must match/);
});

test("the same training loop gives the same weights, bit for bit, and its loss falls", () => {
  const [first, second] = [trainTwoLayers(), trainTwoLayers()];
  assert.deepEqual(second, first);
  const [start, end] = [first.losses[0], first.losses.at(-1)];
  assert.ok(start !== undefined && end !== undefined && end < start / 2, `${start} → ${end}`);
});

test("the description says what computed: versions, device, processor and threads", () => {
  const description = describeTensorFlow();
  assert.equal(description.tensorflowVersion, "2.21.0");
  assert.equal(description.tfjsVersion, "4.22.0");
  assert.notEqual(description.cpuModel, "");
  assert.equal(description.oneDnn, process.env["TF_ENABLE_ONEDNN_OPTS"] === "1");
  assert.equal(description.threadsWithinOperation, Number(process.env["TF_NUM_INTRAOP_THREADS"]));
});

/** Sixty steps of gradient descent on 256 random points: large enough that TensorFlow splits the work between threads. */
function trainTwoLayers(): { losses: number[]; weights: Float32Array[] } {
  const inputs = tf.randomNormal([256, 64], 0, 1, "float32", 1);
  const wanted = tf.sin(tf.matMul(inputs, tf.randomNormal([64, 8], 0, 0.2, "float32", 2)));
  let weights = [tf.randomNormal([64, 128], 0, 0.1, "float32", 3), tf.randomNormal([128, 8], 0, 0.1, "float32", 4)];
  const loss = (first: tf.Tensor, second: tf.Tensor) =>
    tf.mean<tf.Scalar>(tf.squaredDifference(tf.matMul(tf.tanh(tf.matMul(inputs, first)), second), wanted));
  const losses: number[] = [];
  for (let step = 0; step < 60; step++) {
    const { value, grads } = tf.valueAndGrads(loss)(weights);
    losses.push(value.dataSync()[0] ?? Number.NaN);
    weights = weights.map((weight, i) => tf.sub(weight, tf.mul(grads[i] ?? Number.NaN, 0.5)));
  }
  return { losses, weights: weights.map((weight) => weight.dataSync<"float32">()) };
}
