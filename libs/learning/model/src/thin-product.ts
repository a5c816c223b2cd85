/**
 * Products of few rows with matrices. Every number of a matrix is then used a few times at most, so the product is as fast as memory
 * is read, and a backend may have a kernel for just that.
 */
import * as tf from "@tensorflow/tfjs-core";
import { hasKernel, runKernel } from "./kernels.ts";
import { withGradient } from "./with-gradient.ts";

const mostRows = 8; // that the kernel takes

export function hasThinProduct({ shape: [rows] }: tf.Tensor2D): boolean {
  return rows <= mostRows && hasKernel("ThinProduct");
}

/**
 * x Wᵀ for each W, side by side.
 *
 * @param x [rows, in] that `hasThinProduct`   @param matrices [out, in] each   @returns [rows, sum of all out]
 */
export function thinProduct(x: tf.Tensor2D, matrices: readonly tf.Tensor2D[]): tf.Tensor2D {
  return withGradient([x, ...matrices], () => ({
    value: runKernel("ThinProduct", { ...Object.fromEntries(matrices.entries()), x })[0] as tf.Tensor2D,
    saved: [x, ...matrices] as const,
    gradients: (gradient, [keptX, ...kept]) => {
      const widths = kept.map(({ shape: [out] }) => out);
      const parts = tf.split(gradient, widths, 1);
      const shares = parts.map((part, index) => tf.matMul(part, kept[index] ?? keptX));
      return [shares.reduce((sum, share) => tf.add(sum, share)), ...parts.map((part) => tf.matMul(part, keptX, true))];
    },
  }));
}
