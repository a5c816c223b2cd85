/** The loss of a batch: position i is scored by how well it predicted token i + 1. */
import { expectShape, type Predictions } from "@pretrain/model";
import * as tf from "@tensorflow/tfjs-core";
import { chunkedLoss, chunkedScores } from "./chunked-loss.ts";

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
 * @param tokens [batch, sequence], int32   @param counts [batch, sequence], 1 where a token is a target, 0 for padding
 * @returns the sum and the number of tokens in it
 */
export function nextTokenLoss(predictions: Predictions, tokens: tf.Tensor2D, counts: tf.Tensor2D): LossSum {
  const { targets, counted } = shifted(predictions, tokens, counts);
  return { nats: chunkedLoss(predictions, targets, counted), tokens: tf.sum(counted) };
}

/** Of each prediction. What stands where the token to be predicted is not counted has no meaning, but for the loss: 0. */
export type NextTokenScores = {
  /** Nats. */
  readonly losses: tf.Tensor2D;
  /** The token with the largest score, the first of equal ones; int32. */
  readonly likeliest: tf.Tensor2D;
  /** Its probability. */
  readonly confidence: tf.Tensor2D;
};

/** The same losses, of each prediction, and what was predicted; from one pass over the logits. Each [batch, sequence - 1]. */
export function nextTokenScores(predictions: Predictions, tokens: tf.Tensor2D, counts: tf.Tensor2D): NextTokenScores {
  const [batch, sequence] = tokens.shape;
  const { targets, counted } = shifted(predictions, tokens, counts);
  const { losses, likeliest, confidence } = chunkedScores(predictions, targets, counted);
  const withoutLast = (scores: tf.Tensor1D): tf.Tensor2D => {
    const rows: tf.Tensor2D = tf.reshape(scores, [batch, sequence]);
    return tf.slice(rows, [0, 0], [batch, sequence - 1]);
  };
  return { losses: withoutLast(losses), likeliest: withoutLast(likeliest), confidence: withoutLast(confidence) };
}

/** The losses alone: [batch, sequence - 1] nats, 0 where the token to be predicted is not counted. */
export function nextTokenLosses(predictions: Predictions, tokens: tf.Tensor2D, counts: tf.Tensor2D): tf.Tensor2D {
  return nextTokenScores(predictions, tokens, counts).losses;
}

/**
 * Of each position the token that it must predict, and whether it counts: the row moved left by one. What the last position of a
 * row predicts is scored against token 0 and counts nothing: cutting the predictions instead would copy the largest tensor.
 */
function shifted({ hidden, outputMatrix }: Predictions, tokens: tf.Tensor2D, counts: tf.Tensor2D) {
  const [batch, sequence] = tokens.shape;
  expectShape({ tokens, counts }, [batch, sequence]);
  expectShape({ hidden }, [batch * sequence, outputMatrix.shape[1]]);
  const movedLeft = (x: tf.Tensor2D): tf.Tensor1D => {
    const behindLast: tf.Tensor2D = tf.zeros([batch, 1], x.dtype === "int32" ? "int32" : "float32");
    return tf.reshape(tf.concat([tf.slice(x, [0, 1], [batch, sequence - 1]), behindLast], 1), [-1]);
  };
  return { targets: movedLeft(tokens), counted: movedLeft(counts) };
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
