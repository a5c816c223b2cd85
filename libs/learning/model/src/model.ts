/**
 * `model_original`: a decoder with RMSNorm before each block and at the end, grouped-query attention with rotary
 * positions on interleaved pairs, SwiGLU, no biases, and the embedding as its output matrix (Touvron et al. 2023,
 * arxiv.org/abs/2302.13971). Reads no value of a tensor, so that it runs eagerly and can be traced.
 */
import * as tf from "@tensorflow/tfjs-core";
import { block, type KeysAndValues } from "./block.ts";
import { embedding } from "./embedding.ts";
import { linear } from "./linear.ts";
import { headDimension, type ModelShape } from "./model-shape.ts";
import { rmsNorm } from "./rms-norm.ts";
import { type Rotations, rotations } from "./rotary.ts";
import { matrix, vector, type Weights } from "./weights.ts";

/**
 * Scores of every token of the vocabulary as the one after each position, a position seeing itself and those before it.
 *
 * @param tokens [batch, sequence], int32, at most `shape.maxSequenceLength` long   @returns [batch, sequence, vocabulary]
 */
export function logits(weights: Weights, tokens: tf.Tensor2D, shape: ModelShape): tf.Tensor3D {
  const { hidden } = hiddenStates(weights, tokens, shape, []);
  return outputScores(weights, hidden);
}

/** The scores of the vocabulary for hidden states: the embedding is also the output matrix. */
export function outputScores(weights: Weights, hidden: tf.Tensor3D): tf.Tensor3D {
  return linear(hidden, matrix(weights, "tok_embeddings.weight"));
}

/**
 * The stream behind the last norm, [batch, sequence, dim], and each layer's keys and values.
 *
 * @param past of each layer, when `tokens` go on where a sequence ended; empty when they begin one
 */
export function hiddenStates(
  weights: Weights,
  tokens: tf.Tensor2D,
  shape: ModelShape,
  past: readonly KeysAndValues[],
): { readonly hidden: tf.Tensor3D; readonly seen: KeysAndValues[] } {
  const turns = rotationsOf(tokens.shape[1], past[0]?.keys.shape[1] ?? 0, shape);
  const seen: KeysAndValues[] = [];
  let stream = embedding(matrix(weights, "tok_embeddings.weight"), tokens);
  for (let layer = 0; layer < shape.layers; layer += 1) {
    const input = stream;
    const behind = tf.tidy(() => block(weights, layer, input, shape, turns, past[layer]));
    stream = behind.stream;
    seen.push(behind.seen);
  }
  return { hidden: rmsNorm(stream, vector(weights, "norm.weight"), shape.normEps), seen };
}

function rotationsOf(length: number, start: number, shape: ModelShape): Rotations {
  if (start + length > shape.maxSequenceLength) {
    throw new RangeError(`${start + length} tokens; the model has ${shape.maxSequenceLength} positions`);
  }
  return rotations({ start, length }, shape.heads, headDimension(shape), shape.ropeTheta);
}
