/** The matrix products of the model. */
import * as tf from "@tensorflow/tfjs-core";

/**
 * y = x Wᵀ at every position.
 *
 * @param x [batch, sequence, in]   @param weight [out, in]   @returns [batch, sequence, out]
 */
export function linear(x: tf.Tensor3D, weight: tf.Tensor2D): tf.Tensor3D {
  const [batch, sequence, width] = x.shape;
  // One matrix of all positions: as a batch of matrices the same product took almost twice as long.
  const rows = tf.reshape(x, [batch * sequence, width]);
  return tf.reshape(tf.matMul(rows, weight, false, true), [batch, sequence, weight.shape[0]]);
}
