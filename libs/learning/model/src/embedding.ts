/** The rows of the embedding matrix that belong to tokens. */
import * as tf from "@tensorflow/tfjs-core";
import { withGradient } from "./with-gradient.ts";

/**
 * Row `tokens[b, s]` of the matrix at each position. Its gradient adds up, for each row of the matrix, the gradients of
 * the positions that read it.
 *
 * `tf.gather` would do the same, but reads its indices back to check them, which a traced function cannot: that tokens
 * lie within the vocabulary is for the reader of the data to make sure.
 *
 * @param weight [vocabulary, dim]   @param tokens [batch, sequence], int32   @returns [batch, sequence, dim]
 */
export function embedding(weight: tf.Tensor2D, tokens: tf.Tensor2D): tf.Tensor3D {
  const [vocabulary, dim] = weight.shape;
  const [batch, sequence] = tokens.shape;
  const positions = batch * sequence;
  const rows = withGradient([weight], () => ({
    value: tf.gatherND(weight, tf.reshape(tokens, [positions, 1])), // [B S, D]
    saved: [tf.reshape<tf.Rank.R1>(tokens, [positions])],
    gradients: (gradient, [ids]) => [tf.unsortedSegmentSum(gradient, ids, vocabulary)],
  }));
  return tf.reshape(rows, [batch, sequence, dim]);
}
