/** The loss of a batch: position i is scored by how well it predicted token i + 1. */
import { expectShape } from "@pretrain/model";
import * as tf from "@tensorflow/tfjs-core";
import { crossEntropy } from "./cross-entropy.ts";

/** A sum and what it is a sum of. Sums of parts add up to the sum of the whole; they are divided once, when shown. */
export type LossSum = {
  readonly nats: tf.Scalar;
  readonly tokens: tf.Scalar;
};

/**
 * Cross-entropy of every next token, in nats. Position i predicts token i + 1, so each side loses one end:
 *
 *     position       0    1    2    3
 *     token read    bos   a    b    c
 *     must predict   a    b    c    ·      the last prediction has no token to be checked against
 *
 * @param logits [batch, sequence, vocabulary]   @param tokens [batch, sequence], int32
 * @param counts [batch, sequence], 1 where a token is a target, 0 for padding
 * @returns the sum and the number of tokens in it
 */
export function nextTokenLoss(logits: tf.Tensor3D, tokens: tf.Tensor2D, counts: tf.Tensor2D): LossSum {
  const losses = nextTokenLosses(logits, tokens, counts);
  return { nats: tf.sum(losses), tokens: tf.sum(withoutFirst(counts)) };
}

/** The same, of each prediction: [batch, sequence - 1] nats, 0 where the token to be predicted is not counted. */
export function nextTokenLosses(logits: tf.Tensor3D, tokens: tf.Tensor2D, counts: tf.Tensor2D): tf.Tensor2D {
  const [batch, sequence, vocabulary] = logits.shape;
  expectShape({ tokens, counts }, [batch, sequence]);
  // The last position is scored against token 0 and left out afterwards: cutting the logits would copy the largest tensor.
  const noToken: tf.Tensor2D = tf.zeros([batch, 1], "int32");
  const targets = tf.concat([withoutFirst(tokens), noToken], 1); // [B, S]
  const rows: tf.Tensor2D = tf.reshape(logits, [batch * sequence, vocabulary]);
  const losses: tf.Tensor2D = tf.reshape(crossEntropy(rows, tf.reshape(targets, [-1])), [batch, sequence]);
  return tf.mul(tf.slice(losses, [0, 0], [batch, sequence - 1]), withoutFirst(counts));
}

/**
 * 1 at the positions that a row fills, 0 behind them: position p is real when p < length. By lengths, not by ids: a real
 * token may have the id that padding has.
 *
 * @param lengths [batch], int32   @returns [batch, sequence]
 */
export function countsOfLengths(lengths: tf.Tensor1D, sequence: number): tf.Tensor2D {
  const positions = tf.reshape(tf.range(0, sequence, 1, "int32"), [1, sequence]);
  return tf.cast(tf.less(positions, tf.expandDims(lengths, 1)), "float32");
}

function withoutFirst(x: tf.Tensor2D): tf.Tensor2D {
  const [batch, sequence] = x.shape;
  return tf.slice(x, [0, 1], [batch, sequence - 1]);
}
