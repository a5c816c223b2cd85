/** Several micro-steps make the gradient of one optimizer step; the loss rule says how much each of them counts. */
import * as tf from "@tensorflow/tfjs-core";
import type { MicroStep } from "./micro-step.ts";
import { mapTensors, type NamedTensors, named } from "./named-tensors.ts";

/**
 * `micro_mean`: the mean over micro-steps of each one's token mean, so a token in a short batch weighs more.
 * `token_weighted`: the mean over all tokens of the optimizer step.
 */
export type LossRule = "micro_mean" | "token_weighted";

/** A weighted sum of gradients and its weight: micro-steps under `micro_mean`, tokens under `token_weighted`. */
export type Accumulator = {
  readonly gradients: NamedTensors;
  readonly weight: tf.Scalar;
};

export function emptyAccumulator(weights: NamedTensors): Accumulator {
  return { gradients: mapTensors(weights, (tensor) => tf.zerosLike(tensor)), weight: tf.scalar(0) };
}

/** The accumulator with one micro-step more. A micro-step without targets adds a gradient of 0. */
export function accumulate(accumulator: Accumulator, micro: MicroStep, rule: LossRule): Accumulator {
  const [share, weight] = rule === "micro_mean" ? [reciprocal(micro.tokens), 1] : [undefined, micro.tokens];
  return {
    gradients: mapTensors(accumulator.gradients, (sum, name) => {
      const gradient = named(micro.gradients, name);
      return tf.add(sum, share === undefined ? gradient : tf.mul(gradient, share));
    }),
    weight: tf.add(accumulator.weight, weight),
  };
}

/**
 * What makes the sum a mean: the gradient of the optimizer step's mean loss is `gradients` times this. Of as many micro-steps as there
 * are, also when fewer than planned.
 */
export function meanShare({ weight }: Accumulator): tf.Scalar {
  return reciprocal(weight);
}

/** 1 / count, and 0 for a count of 0: what has no token has no gradient either, not NaN. */
function reciprocal(count: tf.Scalar): tf.Scalar {
  return tf.divNoNan(tf.onesLike(count), count);
}
