/** The cost of a prediction: minus the logarithm of the probability that it gave to what came. */
import { withGradient } from "@pretrain/model";
import * as tf from "@tensorflow/tfjs-core";

/**
 * log Σ exp(logits) - logits[target] of each row, in nats, with the largest logit taken out first, so that no exponential
 * overflows. Its gradient is softmax(logits) less one at the target.
 *
 * @param logits [rows, vocabulary]   @param targets [rows], int32   @returns [rows]
 */
export function crossEntropy(logits: tf.Tensor2D, targets: tf.Tensor1D): tf.Tensor1D {
  return withGradient([logits], () => {
    const shifted: tf.Tensor2D = tf.sub(logits, tf.max(logits, 1, true)); // [N, V], none above 0
    const exponentials = tf.exp(shifted);
    const sums: tf.Tensor2D = tf.sum(exponentials, 1, true); // [N, 1]
    const places = targetPlaces(targets);
    const value: tf.Tensor1D = tf.sub(tf.log(tf.squeeze(sums, [1])), tf.gatherND(shifted, places));
    return {
      value,
      saved: [exponentials, sums, places],
      gradients: (gradient, saved) => [crossEntropyGradient(gradient, ...saved)],
    };
  });
}

function crossEntropyGradient(
  gradient: tf.Tensor1D,
  exponentials: tf.Tensor2D,
  sums: tf.Tensor2D,
  places: tf.Tensor2D,
): tf.Tensor {
  // One pass over the vocabulary scales softmax and the row's gradient at once; only the targets are then written again.
  const weighted = tf.mul(exponentials, tf.div(tf.expandDims(gradient, 1), sums));
  return tf.tensorScatterUpdate(weighted, places, tf.sub(tf.gatherND(weighted, places), gradient));
}

/** (row, target) of each row: [rows, 2]. */
function targetPlaces(targets: tf.Tensor1D): tf.Tensor2D {
  return tf.stack<tf.Tensor1D>([tf.range(0, targets.shape[0], 1, "int32"), targets], 1) as tf.Tensor2D;
}
