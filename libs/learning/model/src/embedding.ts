/** The rows of the embedding matrix that belong to tokens. */
import * as tf from "@tensorflow/tfjs-core";
import { withGradient } from "./with-gradient.ts";

/**
 * Row `tokens[b, s]` of the matrix for each position. Its gradient adds up, for each row of the matrix, the gradients of
 * the positions that read it.
 *
 * `tf.gather` would do the same, but reads its indices back to check them, which a traced function cannot: that tokens
 * lie within the vocabulary is for the reader of the data to make sure.
 *
 * @param weight [vocabulary, dim]   @param tokens [batch, sequence], int32   @returns [batch * sequence, dim]
 */
export function embedding(weight: tf.Tensor2D, tokens: tf.Tensor2D): tf.Tensor2D {
  const [vocabulary] = weight.shape;
  const [batch, sequence] = tokens.shape;
  const ids: tf.Tensor1D = tf.reshape(tokens, [batch * sequence]);
  return withGradient([weight], () => ({
    value: tf.gatherND(weight, tf.expandDims(ids, 1)) as tf.Tensor2D,
    saved: [ids],
    gradients: (gradient, [keptIds]) => [tf.unsortedSegmentSum(gradient, keptIds, vocabulary)],
  }));
}
