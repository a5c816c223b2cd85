/** The functions of scoring and decoding as they are traced: learning's own, over variables. */
import { type Cache, cacheShape, decodeStep, type ModelShape, parameterShapes, predictions } from "@pretrain/model";
import { microStep } from "@pretrain/optim";
import { countsOfLengths, nextTokenLoss, nextTokenScores } from "@pretrain/scoring";
import type { NamedTensors, TensorSpecs, Traceable } from "@pretrain/tensor-graph";
import * as tf from "@tensorflow/tfjs-core";

/** The weights by their own names. */
export function weightVariables(shape: ModelShape): TensorSpecs {
  const specs = [...parameterShapes(shape)].map(([name, lengths]) => [
    name,
    { shape: lengths, dtype: "float32" as const },
  ]);
  return Object.fromEntries(specs);
}

/** Keys and values of each layer for one text: `cache.0.keys`, `cache.0.values`, … */
export function cacheVariables(shape: ModelShape, places: number): TensorSpecs {
  const spec = { shape: cacheShape(shape, 1, places), dtype: "float32" as const };
  const names = Array.from({ length: shape.layers }, (_, layer) => [
    cacheName(layer, "keys"),
    cacheName(layer, "values"),
  ]);
  return Object.fromEntries(names.flat().map((name) => [name, spec]));
}

/**
 * Losses, likeliest tokens and their probabilities, each [rows, width - 1]. Feeds: tokens [rows, width], lengths [rows]. The width can
 * be one more than the model's sequences: nothing counts that follows from what the last position reads.
 */
export function scoring(shape: ModelShape): Traceable {
  return ({ state, feeds }) => {
    const tokens = feeds["tokens"] as tf.Tensor2D;
    const counts = countsOfLengths(feeds["lengths"] as tf.Tensor1D, tokens.shape[1]);
    const readable = { ...shape, maxSequenceLength: shape.maxSequenceLength + 1 };
    return { outputs: nextTokenScores(predictions(state, tokens, readable), tokens, counts) };
  };
}

/**
 * The loss of rows as a micro-step of training takes it, nats. Its gradients are asked for too and then not used, so that TensorFlow
 * leaves them out. Feeds: tokens [rows, width], lengths [rows].
 */
export function trainingLoss(shape: ModelShape): Traceable {
  return ({ state, feeds }) => {
    const tokens = feeds["tokens"] as tf.Tensor2D;
    const counts = countsOfLengths(feeds["lengths"] as tf.Tensor1D, tokens.shape[1]);
    const loss = (weights: NamedTensors) => nextTokenLoss(predictions(weights, tokens, shape), tokens, counts).nats;
    return { outputs: { nats: microStep(state, loss, tf.scalar(1)).nats } };
  };
}

/** Scores [1, vocabulary] of what comes after the last of some tokens. Feeds: tokens [1, width], position, last. */
export function decoding(shape: ModelShape): Traceable {
  return ({ state, feeds }) => {
    const { tokens, position, last } = feeds as { tokens: tf.Tensor2D; position: tf.Scalar; last: tf.Scalar };
    const { logits, cache } = decodeStep(state, { tokens, position, last }, cacheOf(state, shape), shape);
    const next = cache.flatMap(({ keys, values }, layer) => [
      [cacheName(layer, "keys"), keys],
      [cacheName(layer, "values"), values],
    ]);
    return { state: Object.fromEntries(next), outputs: { scores: logits } };
  };
}

function cacheOf(state: NamedTensors, { layers }: ModelShape): Cache {
  return Array.from({ length: layers }, (_, layer) => ({
    keys: state[cacheName(layer, "keys")] as tf.Tensor4D,
    values: state[cacheName(layer, "values")] as tf.Tensor4D,
  }));
}

function cacheName(layer: number, part: "keys" | "values"): string {
  return `cache.${layer}.${part}`;
}
