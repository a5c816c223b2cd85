/** The cost of a prediction: minus the logarithm of the probability that it gave to what came. */
import { hasKernel, runKernel, withGradient } from "@pretrain/model";
import * as tf from "@tensorflow/tfjs-core";

/**
 * log Σ exp(logits) - logits[target] of each row, in nats, with the largest logit taken out first, so that no exponential
 * overflows.
 *
 * @param logits [rows, vocabulary]   @param targets [rows], int32   @returns [rows]
 */
export function crossEntropy(logits: tf.Tensor2D, targets: tf.Tensor1D): tf.Tensor1D {
  return withGradient([logits], () => {
    const { losses, dLogits } = crossEntropyAndGradient(logits, targets, tf.ones([targets.shape[0]]));
    return {
      value: losses,
      saved: [dLogits],
      gradients: (gradient, [kept]) => [tf.mul(kept, tf.expandDims(gradient, 1))],
    };
  });
}

export type CrossEntropy = {
  /** weights * cross-entropy: [rows] nats. 0 where the weight is 0. */
  readonly losses: tf.Tensor1D;
  /** weights * (softmax(logits) less one at the target): the gradient of the sum of `losses`. [rows, vocabulary] */
  readonly dLogits: tf.Tensor2D;
};

/** Losses and the gradient of their sum at once, since the gradient is at hand while the loss is computed. @param weights [rows] */
export function crossEntropyAndGradient(logits: tf.Tensor2D, targets: tf.Tensor1D, weights: tf.Tensor1D): CrossEntropy {
  if (hasKernel("SoftmaxCrossEntropy")) {
    const [losses, dLogits] = runKernel("SoftmaxCrossEntropy", { logits, targets, weights });
    return { losses: losses as tf.Tensor1D, dLogits: dLogits as tf.Tensor2D };
  }
  const shifted: tf.Tensor2D = tf.sub(logits, tf.max(logits, 1, true)); // [N, V], none above 0
  const exponentials = tf.exp(shifted);
  const sums: tf.Tensor2D = tf.sum(exponentials, 1, true); // [N, 1]
  const places = targetPlaces(targets);
  const losses: tf.Tensor1D = tf.sub(tf.log(tf.squeeze(sums, [1])), tf.gatherND(shifted, places));
  // One pass over the vocabulary scales softmax and the row's weight at once; only the targets are then written again.
  const weighted = tf.mul(exponentials, tf.div(tf.expandDims(weights, 1), sums));
  const dLogits = tf.tensorScatterUpdate(weighted, places, tf.sub(tf.gatherND(weighted, places), weights));
  return { losses: tf.mul(losses, weights), dLogits: dLogits as tf.Tensor2D };
}

/** (row, token) of each row: [rows, 2]. @param targets a token of each row: [rows], int32 */
export function targetPlaces(targets: tf.Tensor1D): tf.Tensor2D {
  return tf.stack<tf.Tensor1D>([tf.range(0, targets.shape[0], 1, "int32"), targets], 1) as tf.Tensor2D;
}
