/** Clipping by the norm of all gradients together: Pascanu et al. 2013, arxiv.org/abs/1211.5063. */
import { hasKernel, runKernel } from "@pretrain/model";
import * as tf from "@tensorflow/tfjs-core";
import type { NamedTensors } from "./named-tensors.ts";

export type Clipping = {
  /** Of the mean gradient, before clipping. */
  readonly norm: tf.Scalar;
  /** min(1, maxNorm / (norm + 1e-6)), PyTorch's rule: 1 when nothing is clipped. */
  readonly clipScale: tf.Scalar;
  /** What makes an accumulated gradient the clipped mean gradient. */
  readonly gradientScale: tf.Scalar;
};

/**
 * How the mean of accumulated gradients is clipped to a global norm of at most `maxNorm`.
 *
 * @param meanShare what makes the sums a mean: one over the weight of all micro-steps
 */
export function clipping(sums: NamedTensors, meanShare: tf.Scalar, maxNorm: number): Clipping {
  const norm: tf.Scalar = tf.mul(globalNorm(sums), meanShare);
  const clipScale: tf.Scalar = tf.minimum(1, tf.div(maxNorm, tf.add(norm, 1e-6)));
  return { norm, clipScale, gradientScale: tf.mul(meanShare, clipScale) };
}

/** √ of the sum of all squares. */
export function globalNorm(tensors: NamedTensors): tf.Scalar {
  const all = Object.values(tensors);
  if (hasKernel("SumOfSquares")) return tf.sqrt(sumOfSquares(all));
  return tf.sqrt(tf.sum(tf.stack(all.map((tensor) => tf.sum(tf.square(tensor))))));
}

function sumOfSquares(tensors: readonly tf.Tensor[]): tf.Scalar {
  const inputs = Object.fromEntries(tensors.map((tensor, index) => [String(index), tensor]));
  return runKernel("SumOfSquares", inputs)[0] as tf.Scalar;
}
