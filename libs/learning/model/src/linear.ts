/** The matrix products of the model: positions are rows. */
import * as tf from "@tensorflow/tfjs-core";
import { hasThinProduct, thinProduct } from "./thin-product.ts";

/**
 * y = x Wᵀ at every position.
 *
 * @param x [rows, in]   @param weight [out, in]   @returns [rows, out]
 */
export function linear(x: tf.Tensor2D, weight: tf.Tensor2D): tf.Tensor2D {
  return hasThinProduct(x) ? thinProduct(x, [weight]) : tf.matMul(x, weight, false, true);
}

/** dx = dy W: [rows, in]. */
export function inputGradient(gradient: tf.Tensor2D, weight: tf.Tensor2D): tf.Tensor2D {
  return tf.matMul(gradient, weight);
}

/** dW = dyᵀ x: [out, in]. */
export function weightGradient(gradient: tf.Tensor2D, x: tf.Tensor2D): tf.Tensor2D {
  return tf.matMul(gradient, x, true);
}
