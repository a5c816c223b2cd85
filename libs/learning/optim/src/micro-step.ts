/** Forward and backward of one batch. Everything is a sum over tokens, so that parts of a batch add up to the whole. */
import * as tf from "@tensorflow/tfjs-core";
import { mapTensors, type NamedTensors, named } from "./named-tensors.ts";

export type MicroStep = {
  /** Loss of all targets, in nats. */
  readonly nats: tf.Scalar;
  /** The targets. */
  readonly tokens: tf.Scalar;
  /** Of `nats` with respect to each weight. */
  readonly gradients: NamedTensors;
};

/**
 * @param lossSum of the batch with these weights: a pure function, differentiated here
 * @throws Error when the loss does not depend on one of the weights
 */
export function microStep(
  weights: NamedTensors,
  lossSum: (weights: NamedTensors) => Pick<MicroStep, "nats" | "tokens">,
): MicroStep {
  const names = Object.keys(weights);
  let counted: tf.Scalar | undefined;
  const natsOf = (...tensors: tf.Tensor[]) => {
    const { nats, tokens } = lossSum(
      Object.fromEntries(names.map((name, index) => [name, present(tensors[index], name)])),
    );
    counted = tf.keep(tf.clone(tokens)); // else it is gone with the forward pass, in which it was made
    return nats;
  };
  const { value, grads } = tf.valueAndGrads(natsOf)(Object.values(weights));
  const gradients = names.map((name, index) => [name, present(grads[index], name)]);
  return { nats: value, tokens: released(counted), gradients: Object.fromEntries(gradients) };
}

/** The micro-step of two parts of a batch together: a batch that does not fit the device is computed by groups of rows. */
export function addMicroSteps(a: MicroStep, b: MicroStep): MicroStep {
  return {
    nats: tf.add(a.nats, b.nats),
    tokens: tf.add(a.tokens, b.tokens),
    gradients: mapTensors(a.gradients, (gradient, name) => tf.add(gradient, named(b.gradients, name))),
  };
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
