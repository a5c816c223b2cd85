import "@pretrain/tensorflow-native";
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertClose } from "@pretrain/golden";
import * as tf from "@tensorflow/tfjs-core";
import {
  type AdamWSettings,
  accumulate,
  adamW,
  adamWNumbers,
  clipping,
  type LossRule,
  learningRate,
  microStep,
  type NamedTensors,
  reciprocal,
  shareOf,
  type TrainingState,
  trainingState,
  weightOf,
} from "./index.ts";

const settings: AdamWSettings = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1, decayOn: "matrices" };
const values = (tensor: tf.Tensor | undefined) => [...(tensor?.dataSync() ?? [])];

test("a micro-step is the sum of the losses, and the gradient of its share of it", () => {
  const weights = { a: tf.tensor1d([2, 3]), b: tf.scalar(10) };
  const loss = ({ a, b }: NamedTensors): tf.Scalar => tf.sum(tf.mul(tf.square(a as tf.Tensor), b as tf.Tensor));
  const { nats, gradients } = microStep(weights, loss, tf.scalar(0.5));
  assert.deepEqual([values(nats), values(gradients["a"]), values(gradients["b"])], [[130], [20, 30], [6.5]]);
});

test("a micro-step leaves no tensor behind, and does not take those of its caller", () => {
  const [weights, share] = [{ a: tf.tensor1d([2]) }, tf.scalar(1)];
  const before = tf.memory().numTensors;
  tf.tidy(() => void microStep(weights, ({ a }) => tf.sum(tf.square(a as tf.Tensor)), share));
  assert.equal(tf.memory().numTensors, before);
  assert.deepEqual(values(share), [1]);
});

test("a weight that the loss does not depend on is an error, not a gradient that is missing", () => {
  const weights = { used: tf.scalar(1), forgotten: tf.scalar(1) };
  const loss = ({ used }: NamedTensors) => tf.mul(used as tf.Scalar, 2) as tf.Scalar;
  assert.throws(() => microStep(weights, loss, tf.scalar(1)), /Cannot compute gradient/);
});

/** The mean gradient of micro-steps, each a gradient of its loss sum and the number of its targets. */
function meanGradient(micros: readonly (readonly [total: number, tokens: number])[], rule: LossRule): number[] {
  const zero: NamedTensors = { w: tf.tensor1d([0]) };
  const sums = micros.reduce(
    (sum, [total, tokens]) => accumulate(sum, { w: tf.tensor1d([total * shareOf(rule, tokens)]) }),
    zero,
  );
  const weight = micros.reduce((sum, [, tokens]) => sum + weightOf(rule, tokens), 0);
  return values(tf.mul(sums["w"] as tf.Tensor, reciprocal(weight)));
}

for (const [claim, rule, micros, gradient] of [
  [
    "micro_mean: 6 over 2 tokens and 20 over 4 are means of 3 and 5, so 4",
    "micro_mean",
    [
      [6, 2],
      [20, 4],
    ],
    4,
  ],
  [
    "token_weighted: the same are 26 over 6 tokens",
    "token_weighted",
    [
      [6, 2],
      [20, 4],
    ],
    26 / 6,
  ],
  ["micro_mean: an incomplete accumulation is a mean of what is there", "micro_mean", [[6, 2]], 3],
  [
    "micro_mean: a micro-step without targets counts as a mean of 0",
    "micro_mean",
    [
      [6, 2],
      [0, 0],
    ],
    1.5,
  ],
  [
    "token_weighted: a micro-step without targets counts nothing",
    "token_weighted",
    [
      [6, 2],
      [0, 0],
    ],
    3,
  ],
  ["token_weighted: no token at all is a gradient of 0, not NaN", "token_weighted", [[0, 0]], 0],
] as const) {
  test(claim, () => {
    assertClose(meanGradient(micros, rule), [gradient], 1e-6);
  });
}

test("gradients are scaled together when the global norm of their mean exceeds the bound, and left alone when not", () => {
  const sums = { a: tf.tensor1d([6]), b: tf.tensor2d([[0, 8]]) }; // the mean of two has norm 5
  const bound = clipping(sums, tf.scalar(0.5), 1);
  assert.deepEqual(values(bound.norm), [5]);
  assertClose([...values(bound.clipScale), ...values(bound.gradientScale)], [1 / 5.000001, 0.5 / 5.000001], 1e-7);
  const loose = clipping(sums, tf.scalar(0.5), 5.1);
  assert.deepEqual([values(loose.clipScale), values(loose.gradientScale)], [[1], [0.5]]);
});

/** AdamW for one number, in float64, as the paper writes it. */
function byThePaper(weight: number, gradients: readonly number[], rate: number, decay: number): number {
  let [w, m, v] = [weight, 0, 0];
  for (const [index, g] of gradients.entries()) {
    m = 0.9 * m + 0.1 * g;
    v = 0.95 * v + 0.05 * g * g;
    const [mHat, vHat] = [m / (1 - 0.9 ** (index + 1)), v / (1 - 0.95 ** (index + 1))];
    w -= rate * (mHat / (Math.sqrt(vHat) + 1e-8) + decay * w);
  }
  return w;
}

const feedsAt = (step: number, rate: number, of = settings) => {
  const { keep, stepSize, rootScale } = adamWNumbers(of, rate, step);
  return { keep: tf.scalar(keep), stepSize: tf.scalar(stepSize), rootScale: tf.scalar(rootScale) };
};

function after(gradients: readonly number[], of: AdamWSettings, rate: number): TrainingState {
  const weights = { matrix: tf.tensor2d([[0.5]]), norm: tf.tensor1d([1]) };
  return gradients.reduce(
    (state, gradient, step) =>
      adamW(
        state,
        { matrix: tf.tensor2d([[2 * gradient]]), norm: tf.tensor1d([2 * gradient]) },
        tf.scalar(0.5),
        feedsAt(step, rate, of),
        of,
      ),
    trainingState(weights),
  );
}

test("AdamW is the paper's, with decay on matrices only or on all", () => {
  const gradients = [0.3, -0.1, 1e-9, 2, 0.7];
  const onMatrices = after(gradients, settings, 0.01).weights;
  assertClose(values(onMatrices["matrix"]), [byThePaper(0.5, gradients, 0.01, 0.1)], 1e-7);
  assertClose(values(onMatrices["norm"]), [byThePaper(1, gradients, 0.01, 0)], 1e-7);
  const onAll = after(gradients, { ...settings, decayOn: "all" }, 0.01).weights;
  assertClose(values(onAll["matrix"]), [byThePaper(0.5, gradients, 0.01, 0.1)], 1e-7);
  assertClose(values(onAll["norm"]), [byThePaper(1, gradients, 0.01, 0.1)], 1e-7);
});

test("the first step moves a weight by the learning rate, whatever the size of its gradient", () => {
  for (const gradient of [1e-3, 1, -1e4]) {
    const moved = values(after([gradient], settings, 0.01).weights["norm"]);
    assertClose(moved, [1 - 0.01 * Math.sign(gradient)], 1e-6);
  }
});

test("bias corrections of late steps are exact: at step 20,000 they are 1", () => {
  assert.deepEqual(adamWNumbers(settings, 2e-4, 20_000), { keep: 1 - 2e-5, stepSize: 2e-4, rootScale: 1 });
});

test("AdamW changes nothing that it was given", () => {
  const state = trainingState({ w: tf.tensor1d([1]) });
  const next = adamW(state, { w: tf.tensor1d([4]) }, tf.scalar(0.25), feedsAt(0, 0.01), settings);
  assertClose(values(next.firstMoments["w"]), [0.1], 1e-6);
  assertClose(values(next.weights["w"]), [0.99], 1e-6);
  assert.deepEqual([values(state.weights["w"]), values(state.firstMoments["w"])], [[1], [0]]);
});

test("the learning rate falls along half a cosine to 0, and stays there", () => {
  const schedule = { kind: "cosine_to_zero", peak: 2, warmupSteps: 0, totalSteps: 4 } as const;
  const rates = [0, 1, 2, 3, 4, 5].map((step) => learningRate(schedule, step));
  assertClose(rates, [2, 1 + Math.SQRT1_2, 1, 1 - Math.SQRT1_2, 0, 0], 1e-15);
});

test("warm-up is a line whose first step is not 0 and whose end is the peak", () => {
  const cosine = { kind: "cosine_to_zero", peak: 3, warmupSteps: 2, totalSteps: 6 } as const;
  assertClose(
    [0, 1, 2, 4, 6].map((step) => learningRate(cosine, step)),
    [1, 2, 3, 1.5, 0],
    1e-15,
  );
  const constant = { ...cosine, kind: "constant" } as const;
  assert.deepEqual(
    [0, 2, 5, 1000].map((step) => learningRate(constant, step)),
    [1, 3, 3, 3],
  );
});

test("a warm-up as long as the run ends before the cosine begins, without dividing by 0", () => {
  const schedule = { kind: "cosine_to_zero", peak: 3, warmupSteps: 2, totalSteps: 2 } as const;
  assert.deepEqual(
    [0, 1, 2].map((step) => learningRate(schedule, step)),
    [1, 2, 0],
  );
});
