/** What a prediction comes to beside its cost: which token it gives the largest score, and the probability that this one has. */
import { after } from "@pretrain/model";
import * as tf from "@tensorflow/tfjs-core";
import { crossEntropyAndGradient, targetPlaces } from "./cross-entropy.ts";

/** Of each prediction. */
export type PredictionScores = {
  /** weight * cross-entropy, nats. */
  readonly losses: tf.Tensor1D;
  /** Token with the largest score, the first of equal ones; int32. */
  readonly likeliest: tf.Tensor1D;
  /** Its probability, 1 / V to 1. Without meaning where the weight is not 1. */
  readonly confidence: tf.Tensor1D;
};

/**
 * With z the scores, t the target and b the likeliest token, -log softmax(z)[t] is the loss L, and so
 *
 *     softmax(z)[b] = exp((z[b] - z[t]) - L)
 *
 * @param logits [rows, vocabulary]   @param targets [rows], int32   @param weights [rows]   @returns each [rows]
 */
export function predictionScores(logits: tf.Tensor2D, targets: tf.Tensor1D, weights: tf.Tensor1D): PredictionScores {
  const likeliest: tf.Tensor1D = tf.argMax(logits, 1);
  const scoreOf = (tokens: tf.Tensor1D) => tf.gatherND(logits, targetPlaces(tokens));
  const lead: tf.Tensor1D = tf.sub(scoreOf(likeliest), scoreOf(targets));
  const { losses } = crossEntropyAndGradient(after(logits, lead), targets, weights); // which writes where the logits stand
  return { losses, likeliest, confidence: tf.exp(tf.sub(lead, losses)) };
}
