/** The gradient of a batch, and how the gradients of several are put together. */
import * as tf from "@tensorflow/tfjs-core";
import { mapTensors, type NamedTensors, named } from "./named-tensors.ts";

export type MicroStep = {
  /** Sum of the losses. */
  readonly nats: tf.Scalar;
  /** Of `share` times that sum, with respect to each weight. */
  readonly gradients: NamedTensors;
};

/**
 * @param lossSum of the batch with these weights: a pure function, differentiated here
 * @param share of this batch in its optimizer step, by the loss rule: multiplied in here, where it costs no pass over the gradients
 * @throws Error when the loss does not depend on one of the weights
 */
export function microStep(
  weights: NamedTensors,
  lossSum: (weights: NamedTensors) => tf.Scalar,
  share: tf.Scalar,
): MicroStep {
  const names = Object.keys(weights);
  let sum: tf.Scalar | undefined;
  const sharedLoss = (...tensors: tf.Tensor[]): tf.Scalar => {
    const nats = lossSum(Object.fromEntries(names.map((name, index) => [name, present(tensors[index], name)])));
    sum = tf.keep(tf.clone(nats)); // else it is gone with the forward pass, in which it was made
    return tf.mul(nats, share);
  };
  const { value, grads } = tf.valueAndGrads(sharedLoss)(Object.values(weights));
  value.dispose();
  const gradients = names.map((name, index) => [name, present(grads[index], name)]);
  return { nats: released(sum), gradients: Object.fromEntries(gradients) };
}

/** Sums of gradients with those of one micro-step more, or of one more part of a batch that is computed by groups of rows. */
export function accumulate(sums: NamedTensors, gradients: NamedTensors): NamedTensors {
  return mapTensors(sums, (sum, name) => tf.add(sum, named(gradients, name)));
}

function present(tensor: tf.Tensor | undefined, name: string): tf.Tensor {
  if (tensor === undefined) throw new Error(`${name} is missing`);
  return tensor;
}

/** Into the care of the caller's scope again. */
function released(kept: tf.Scalar | undefined): tf.Scalar {
  if (kept === undefined) throw new Error("the loss was not computed");
  const tensor = tf.clone(kept);
  kept.dispose();
  return tensor;
}
