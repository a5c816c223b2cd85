/**
 * A norm and the matrix product behind it, as one operation: the gradient computes the norm once more, so that its output, as wide as
 * the stream, is not kept from the forward pass to the backward pass.
 */
import type * as tf from "@tensorflow/tfjs-core";
import { after } from "./kernels.ts";
import { inputGradient, linear, weightGradient } from "./linear.ts";
import { normed, rmsNormGradients } from "./rms-norm.ts";
import { withGradient } from "./with-gradient.ts";

/**
 * rmsNorm(x) Wᵀ.
 *
 * @param x [rows, dim]   @param normWeight [dim]   @param weight [out, dim]   @returns [rows, out]
 */
export function normedProjection(
  x: tf.Tensor2D,
  normWeight: tf.Tensor1D,
  weight: tf.Tensor2D,
  eps: number,
): tf.Tensor2D {
  return withGradient([x, normWeight, weight], () => ({
    value: linear(normed(x, normWeight, eps), weight),
    saved: [x, normWeight, weight],
    gradients: (gradient, [keptX, keptNorm, keptWeight]) => {
      const dNormed = inputGradient(gradient, keptWeight);
      const norm = rmsNormGradients(dNormed, after(keptX, gradient), keptNorm, eps);
      return [norm.dx, norm.dWeight, weightGradient(gradient, norm.normed)];
    },
  }));
}
