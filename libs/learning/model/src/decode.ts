/** The same forward pass, a few tokens at a time: keys and values of earlier tokens are kept and not computed again. */
import * as tf from "@tensorflow/tfjs-core";
import type { KeysAndValues } from "./block.ts";
import { hiddenStates, outputScores } from "./model.ts";
import type { ModelShape } from "./model-shape.ts";
import type { Weights } from "./weights.ts";

/** Of each layer the keys and values so far. Grows by the tokens of each step; its tensors are the caller's to dispose of. */
export type Cache = KeysAndValues[]; // mutable to the compiler, or tf.tidy would not take it; nothing changes it

export type Decoded = {
  /** Scores for the token after the last one of the step: [batch, vocabulary]. */
  readonly logits: tf.Tensor2D;
  readonly cache: Cache;
};

/** The cache before the first token. */
export function newCache(): Cache {
  return [];
}

/**
 * Reads the next tokens of each sequence: the whole prompt at first, then one at a time. Its scores are those of `logits`
 * at the last position of all tokens so far. Changes nothing: the answer holds the longer cache.
 *
 * @param tokens [batch, sequence], int32   @throws RangeError when the sequence outgrows the model
 */
export function decodeStep(weights: Weights, tokens: tf.Tensor2D, cache: Cache, shape: ModelShape): Decoded {
  const { hidden, seen } = hiddenStates(weights, tokens, shape, cache);
  const [batch, sequence, dim] = hidden.shape;
  const last = tf.slice(hidden, [0, sequence - 1, 0], [batch, 1, dim]);
  return { logits: tf.reshape(outputScores(weights, last), [batch, shape.vocabularySize]), cache: seen };
}
