/** AdamW and the sum of squares against the same numbers in float64. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { assertClose, processorHasLibrary, random, run } from "./testing.ts";

const skip = processorHasLibrary ? false : "this processor has no library";
const scalars = { gradientScale: 0.5, keep: 0.999, stepSize: 0.01, rootScale: 1.3 };
const settings = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

test("AdamW equals its formula for tensors of all sizes", { skip }, () => {
  const sizes = fc.constantFrom<number[]>([1], [15], [16], [3, 17], [2, 3, 5], [20_000]); // the last is more than one part of the work
  fc.assert(
    fc.property(sizes, fc.integer({ min: 1, max: 1e6 }), (shape, seed) => {
      tf.tidy(() => {
        const [weight, firstMoment, gradient] = [random(shape, seed), random(shape, seed + 1), random(shape, seed + 2)];
        const inputs = { weight, firstMoment, secondMoment: tf.square(random(shape, seed + 3)), gradient };
        const found = update(inputs);
        for (const [index, expected] of formula(inputs).entries()) {
          assertClose(found[index], tf.tensor(expected, shape), 1e-6, `output ${index}`);
        }
      });
    }),
    { numRuns: 20, seed: 1 },
  );
});

test("what 1 - beta2 adds to a second moment of 0 is right to seven digits", { skip }, () => {
  const zero = tf.zeros([1]);
  const inputs = { weight: zero, firstMoment: zero, secondMoment: zero, gradient: tf.fill([1], 2) };
  const [, first, second] = update(inputs).map((tensor) => tensor.dataSync()[0] ?? 0);
  assert.ok(Math.abs((first ?? 0) - 0.1) < 1e-8); // 0.1 times the halved gradient
  assert.ok(Math.abs((second ?? 0) - 0.001) < 1e-10);
});

test("AdamW refuses moments of another shape and numbers that are none", { skip }, () => {
  const [weight, other] = [tf.zeros([3]), tf.zeros([4])];
  const inputs = { weight, firstMoment: weight, secondMoment: weight, gradient: weight };
  assert.throws(() => update({ ...inputs, secondMoment: other }), /must be \[3\] as the weight, input 2 is \[4\]/);
  assert.throws(() => update({ ...inputs, keep: tf.ones([1]) }), /input 5 must be a scalar, is \[1\]/);
});

test("the sum of squares of a list of tensors is right to seven digits, however large they are", { skip }, () => {
  const tensors = [tf.tensor1d([3]), tf.tensor2d([[4, 12]]), random([300, 400], 1), tf.zeros([0]), tf.scalar(84)];
  const numbers = tensors.flatMap((tensor) => [...tensor.dataSync()]);
  const expected = numbers.reduce((sum, number) => sum + number * number, 0);
  const [sum] = run("SumOfSquares", Object.fromEntries(tensors.entries()));
  assert.equal(sum?.rank, 0);
  assert.equal(sum.dataSync()[0], Math.fround(expected));
});

test("a list without tensors is refused", { skip }, () => {
  assert.throws(() => run("SumOfSquares", {}), /N/);
});

type Inputs = Readonly<Record<string, tf.Tensor>>;

function update(inputs: Inputs): tf.Tensor[] {
  const fed = Object.fromEntries(Object.entries(scalars).map(([name, value]) => [name, tf.scalar(value)]));
  return run("AdamW", { ...fed, ...inputs }, settings);
}

/** w = keep w - stepSize m / (√v rootScale + epsilon) with the new moments m and v. */
function formula(inputs: Inputs): Float32Array[] {
  const { beta1, beta2, epsilon } = settings;
  const of = (name: string) => [...(inputs[name]?.dataSync() ?? [])];
  const [weights, firsts, seconds, gradients] = ["weight", "firstMoment", "secondMoment", "gradient"].map(of) as [
    number[],
    number[],
    number[],
    number[],
  ];
  const g = gradients.map((gradient) => gradient * scalars.gradientScale);
  const m = g.map((value, index) => beta1 * (firsts[index] ?? 0) + (1 - beta1) * value);
  const v = g.map((value, index) => beta2 * (seconds[index] ?? 0) + (1 - beta2) * value * value);
  const change = m.map((value, i) => value / (Math.sqrt(v[i] ?? 0) * scalars.rootScale + epsilon));
  const w = weights.map((weight, i) => weight * scalars.keep - scalars.stepSize * (change[i] ?? 0));
  return [w, m, v].map((values) => Float32Array.from(values));
}
