/** Clipping by the norm of all gradients together: Pascanu et al. 2013, arxiv.org/abs/1211.5063. */
import * as tf from "@tensorflow/tfjs-core";
import { mapTensors, type NamedTensors } from "./named-tensors.ts";

export type Clipped = {
  readonly gradients: NamedTensors;
  /** Before clipping. */
  readonly norm: tf.Scalar;
  /** What they were multiplied with: 1 when nothing was clipped. */
  readonly scale: tf.Scalar;
};

/** Gradients whose global norm is at most `maxNorm`: scaled by min(1, maxNorm / (norm + 1e-6)), PyTorch's rule. */
export function clipByGlobalNorm(gradients: NamedTensors, maxNorm: number): Clipped {
  const norm = globalNorm(gradients);
  const scale: tf.Scalar = tf.minimum(1, tf.div(maxNorm, tf.add(norm, 1e-6)));
  return { gradients: mapTensors(gradients, (gradient) => tf.mul(gradient, scale)), norm, scale };
}

/** √ of the sum of all squares. */
export function globalNorm(tensors: NamedTensors): tf.Scalar {
  const squares = Object.values(tensors).map((tensor) => tf.sum(tf.square(tensor)));
  return tf.sqrt(tf.sum(tf.stack(squares)));
}
