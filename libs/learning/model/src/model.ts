/**
 * `model_original`: a decoder with RMSNorm before each block and at the end, grouped-query attention with rotary
 * positions on interleaved pairs, SwiGLU, no biases, and the embedding as its output matrix (Touvron et al. 2023,
 * arxiv.org/abs/2302.13971). Reads no value of a tensor, so that it runs eagerly and can be traced.
 */
import * as tf from "@tensorflow/tfjs-core";
import { type Attend, block } from "./block.ts";
import { embedding } from "./embedding.ts";
import { linear } from "./linear.ts";
import { headDimension, type ModelShape } from "./model-shape.ts";
import { rmsNorm } from "./rms-norm.ts";
import { rotations } from "./rotary.ts";
import { selfAttention } from "./self-attention.ts";
import { matrix, vector, type Weights } from "./weights.ts";

/**
 * Scores of every token of the vocabulary as the one after each position, a position seeing itself and those before it.
 *
 * @param tokens [batch, sequence], int32, at most `shape.maxSequenceLength` long   @returns [batch, sequence, vocabulary]
 */
export function logits(weights: Weights, tokens: tf.Tensor2D, shape: ModelShape): tf.Tensor3D {
  const [batch, sequence] = tokens.shape;
  return tf.reshape(outputScores(weights, hiddenStates(weights, tokens, shape)), [batch, sequence, -1]);
}

/** What predicts, before any score is computed: hidden states [rows, dim] and the output matrix [vocabulary, dim]. */
export type Predictions = { readonly hidden: tf.Tensor2D; readonly outputMatrix: tf.Tensor2D };

/** The same as `logits`, for who scores them a part at a time. */
export function predictions(weights: Weights, tokens: tf.Tensor2D, shape: ModelShape): Predictions {
  return { hidden: hiddenStates(weights, tokens, shape), outputMatrix: outputMatrix(weights) };
}

/** The scores of the vocabulary for hidden states [rows, dim]: the embedding is also the output matrix. */
export function outputScores(weights: Weights, hidden: tf.Tensor2D): tf.Tensor2D {
  return linear(hidden, outputMatrix(weights));
}

function outputMatrix(weights: Weights): tf.Tensor2D {
  return matrix(weights, "tok_embeddings.weight");
}

/** The stream behind the last norm, a row for each position: [batch * sequence, dim]. */
function hiddenStates(weights: Weights, tokens: tf.Tensor2D, shape: ModelShape): tf.Tensor2D {
  const [batch, sequence] = tokens.shape;
  if (sequence > shape.maxSequenceLength) {
    throw new RangeError(`${sequence} tokens; the model has ${shape.maxSequenceLength} positions`);
  }
  const turns = rotations(sequence, headDimension(shape), shape.ropeTheta);
  const attend: Attend = (qkv) =>
    tf.tidy(() => {
      const read = selfAttention(tf.reshape(qkv, [batch, sequence, -1]), turns, shape);
      return tf.reshape(read, [batch * sequence, -1]);
    });
  return streamBehind(weights, tokens, shape, attend);
}

/** All layers and the last norm, whatever their attention reads. */
export function streamBehind(weights: Weights, tokens: tf.Tensor2D, shape: ModelShape, attend: Attend): tf.Tensor2D {
  let stream = embedding(outputMatrix(weights), tokens);
  for (let layer = 0; layer < shape.layers; layer += 1) {
    stream = block(weights, layer, stream, shape, attend);
  }
  return rmsNorm(stream, vector(weights, "norm.weight"), shape.normEps);
}
