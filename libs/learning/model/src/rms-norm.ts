/** Root mean square normalization: Zhang and Sennrich 2019, arxiv.org/abs/1910.07467. */
import * as tf from "@tensorflow/tfjs-core";

/** x / √(mean(x²) + eps) * weight over the last axis. @param x [batch, sequence, dim]   @param weight [dim] */
export function rmsNorm(x: tf.Tensor3D, weight: tf.Tensor1D, eps: number): tf.Tensor3D {
  const meanSquare = tf.mean(tf.square(x), -1, true); // [B, S, 1]
  return tf.mul(tf.mul(x, tf.rsqrt(tf.add(meanSquare, eps))), weight);
}
