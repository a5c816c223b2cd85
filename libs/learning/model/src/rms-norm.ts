/** Root mean square normalization: Zhang and Sennrich 2019, arxiv.org/abs/1910.07467. */
import * as tf from "@tensorflow/tfjs-core";
import { hasKernel, runKernel } from "./kernels.ts";
import { withGradient } from "./with-gradient.ts";

/**
 * n weight over the last axis, with n = x r and r = 1 / √(mean(x²) + eps).
 *
 * @param x [rows, dim]   @param weight [dim]
 */
export function rmsNorm(x: tf.Tensor2D, weight: tf.Tensor1D, eps: number): tf.Tensor2D {
  return withGradient([x, weight], () => ({
    value: normed(x, weight, eps),
    saved: [x, weight],
    gradients: (gradient, saved) => {
      const { dx, dWeight } = rmsNormGradients(gradient, ...saved, eps);
      return [dx, dWeight];
    },
  }));
}

/** The norm itself, without a gradient. */
export function normed(x: tf.Tensor2D, weight: tf.Tensor1D, eps: number): tf.Tensor2D {
  if (hasKernel("RmsNorm")) return runKernel("RmsNorm", { x, weight }, { epsilon: eps })[0] as tf.Tensor2D;
  return tf.mul(tf.mul(x, inverseRoot(x, eps)), weight);
}

export type RmsNormGradients = {
  readonly dx: tf.Tensor2D;
  readonly dWeight: tf.Tensor1D;
  /** The norm's output once more: the gradient has it at hand, so nobody needs to keep it. */
  readonly normed: tf.Tensor2D;
};

/** With g = dy weight the gradients are dx = r (g - n mean(g n)) and dweight = Σ dy n over all rows. */
export function rmsNormGradients(
  gradient: tf.Tensor2D,
  x: tf.Tensor2D,
  weight: tf.Tensor1D,
  eps: number,
): RmsNormGradients {
  if (hasKernel("RmsNorm")) {
    const [dx, dWeight, again] = runKernel("RmsNormGradient", { x, weight, gradient }, { epsilon: eps });
    return { dx: dx as tf.Tensor2D, dWeight: dWeight as tf.Tensor1D, normed: again as tf.Tensor2D };
  }
  const scale = inverseRoot(x, eps); // r
  const unweighted: tf.Tensor2D = tf.mul(x, scale); // n
  const weighted: tf.Tensor2D = tf.mul(gradient, weight); // g
  const along = tf.mean(tf.mul(weighted, unweighted), -1, true); // [rows, 1]
  return {
    dx: tf.mul(tf.sub(weighted, tf.mul(unweighted, along)), scale),
    dWeight: tf.sum(tf.mul(gradient, unweighted), 0),
    normed: tf.mul(unweighted, weight),
  };
}

function inverseRoot(x: tf.Tensor2D, eps: number): tf.Tensor2D {
  return tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), eps));
}
