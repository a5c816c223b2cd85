/** Root mean square normalization: Zhang and Sennrich 2019, arxiv.org/abs/1910.07467. */
import * as tf from "@tensorflow/tfjs-core";
import { withGradient } from "./with-gradient.ts";

/**
 * n weight over the last axis, with n = x r and r = 1 / √(mean(x²) + eps).
 *
 * With g = dy weight the gradients are dx = r (g - n mean(g n)) and dweight = Σ dy n over all positions. By hand, since n is
 * cheaper to compute twice than to keep.
 *
 * @param x [batch, sequence, dim]   @param weight [dim]
 */
export function rmsNorm(x: tf.Tensor3D, weight: tf.Tensor1D, eps: number): tf.Tensor3D {
  return withGradient([x, weight], () => {
    const scale: tf.Tensor3D = tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), eps)); // r, [B, S, 1]
    return {
      value: tf.mul<tf.Tensor3D>(tf.mul(x, scale), weight),
      saved: [x, weight, scale],
      gradients: (gradient, saved) => rmsNormGradients(gradient, ...saved),
    };
  });
}

function rmsNormGradients(gradient: tf.Tensor3D, x: tf.Tensor3D, weight: tf.Tensor1D, scale: tf.Tensor3D): tf.Tensor[] {
  const normed = tf.mul(x, scale); // n
  const weighted = tf.mul(gradient, weight); // g
  const along = tf.mean(tf.mul(weighted, normed), -1, true); // [B, S, 1]
  const dx = tf.mul(tf.sub(weighted, tf.mul(normed, along)), scale);
  return [dx, tf.sum(tf.mul(gradient, normed), [0, 1])];
}
