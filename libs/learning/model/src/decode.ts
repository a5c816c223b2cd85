/**
 * The same forward pass, some tokens at a time: keys and values of earlier tokens are kept and not computed again. The cache has a
 * fixed number of places, so that one traced function serves every step:
 *
 *     place      0    1    2    3    4    5
 *     cache      k0   k1   k2   ·    ·    ·     three tokens read
 *     step                      a               position 3: a's key goes to place 3, its query sees places 0 to 3
 *
 * What lies in the places behind the position is never seen, and overwritten later: a step may be fed more tokens than are real.
 */
import * as tf from "@tensorflow/tfjs-core";
import { hasKernel, runKernel } from "./kernels.ts";
import { outputScores, streamBehind } from "./model.ts";
import { headDimension, type ModelShape } from "./model-shape.ts";
import { type Rotations, rotated, rotations } from "./rotary.ts";
import { separateHeads } from "./self-attention.ts";
import type { Weights } from "./weights.ts";

/** Rotated keys, and values, of one layer: [places, batch, kv_heads, head_dim]. Types, as all that holds tensors: `tf.tidy` does not take interfaces. */
export type KeysAndValues = { readonly keys: tf.Tensor4D; readonly values: tf.Tensor4D };

/** Of each layer. Mutable to the compiler, or tf.tidy would not take it; nothing changes it. */
export type Cache = KeysAndValues[];

export type DecodeStep = {
  /** [batch, sequence], int32. */
  readonly tokens: tf.Tensor2D;
  /** Of the first token: how many are in the cache. int32. */
  readonly position: tf.Scalar;
  /** Which of the step's tokens is the last real one, from 0. int32. */
  readonly last: tf.Scalar;
};

export type Decoded = {
  /** Scores for the token after the last real one of the step: [batch, vocabulary]. */
  readonly logits: tf.Tensor2D;
  readonly cache: Cache;
};

/** Shape of each of the two tensors that the cache has for a layer. */
export function cacheShape(shape: ModelShape, batch: number, places: number): [number, number, number, number] {
  if (places > shape.maxSequenceLength) {
    throw new RangeError(`${places} places; the model has ${shape.maxSequenceLength} positions`);
  }
  return [places, batch, shape.keyValueHeads, headDimension(shape)];
}

/** The cache before the first token. */
export function newCache(shape: ModelShape, batch: number, places: number): Cache {
  const zeros = () => tf.zeros<tf.Rank.R4>(cacheShape(shape, batch, places));
  return Array.from({ length: shape.layers }, () => ({ keys: zeros(), values: zeros() }));
}

/**
 * Reads the next tokens of each sequence. Its scores are those of `logits` at the last real token. Changes nothing: the answer holds
 * the new cache. That position and tokens fit into the cache is for the caller to make sure: tensors' values are not looked at.
 */
export function decodeStep(weights: Weights, step: DecodeStep, cache: Cache, shape: ModelShape): Decoded {
  const [batch, sequence] = step.tokens.shape;
  const places = cache[0]?.keys.shape[0] ?? 0;
  const reached: tf.Tensor1D = tf.add(tf.range(0, sequence, 1, "int32"), step.position); // [S], the places of the tokens
  const turns = rotationsAt(reached, places, shape);
  const next: Cache = [];
  const isOneKernel = sequence <= mostKernelTokens && hasKernel("CachedAttention");
  const attend = isOneKernel ? oneKernel(step.position, turns) : plainGraph(reached, turns, places, shape);
  const stream = streamBehind(weights, step.tokens, shape, (qkv, layer) => {
    const { read, ...cached } = attend(tf.reshape(qkv, [batch, sequence, -1]), cacheOf(cache, layer));
    next.push(cached);
    return tf.reshape(read, [batch * sequence, -1]);
  });
  const rows: tf.Tensor3D = tf.reshape(stream, [batch, sequence, shape.dim]);
  const lastRows = tf.gatherND(tf.transpose(rows, [1, 0, 2]), tf.reshape(step.last, [1])); // [batch, dim]
  return { logits: outputScores(weights, lastRows as tf.Tensor2D), cache: next };
}

/** From a layer's projections [B, S, …] and its cache to what the heads read, [B, S, H D] or with D apart, and the next cache. */
type AttendCached = (qkv: tf.Tensor3D, cached: KeysAndValues) => KeysAndValues & { readonly read: tf.Tensor };

const mostKernelTokens = 8; // beyond it the kernel has no use: matrix products read the cache once for many tokens

function oneKernel(position: tf.Scalar, { cos, sin }: Rotations): AttendCached {
  return (qkv, cached) => {
    const [read, keys, values] = runKernel("CachedAttention", { qkv, cos, sin, position, ...cached });
    return { read: read as tf.Tensor3D, keys: keys as tf.Tensor4D, values: values as tf.Tensor4D };
  };
}

function plainGraph(reached: tf.Tensor1D, turns: Rotations, places: number, shape: ModelShape): AttendCached {
  const hidden = hiddenPlaces(reached, places);
  return (qkv, cached) => {
    const { queries, keys, values } = separateHeads(qkv, shape);
    const seen = written(cached, reached, { keys: rotated(keys, turns), values });
    return { ...seen, read: reading(rotated(queries, turns), seen, hidden) };
  };
}

function rotationsAt(places: tf.Tensor1D, all: number, shape: ModelShape): Rotations {
  const { cos, sin } = rotations(all, headDimension(shape), shape.ropeTheta);
  const at = (table: tf.Tensor2D) => tf.gatherND(table, tf.expandDims(places, 1)) as tf.Tensor2D;
  return { cos: at(cos), sin: at(sin) };
}

/** [S, places]: 0 where a token sees the place, -1e30 where the place is behind it. Finite, so that no 0 * ∞ can make a NaN. */
function hiddenPlaces(reached: tf.Tensor1D, places: number): tf.Tensor2D {
  const all: tf.Tensor2D = tf.reshape(tf.range(0, places, 1, "int32"), [1, places]);
  return tf.mul(tf.cast(tf.greater(all, tf.expandDims(reached, 1)), "float32"), -1e30);
}

function written(cache: KeysAndValues, reached: tf.Tensor1D, { keys, values }: KeysAndValues): KeysAndValues {
  const at = tf.expandDims(reached, 1);
  const into = (kept: tf.Tensor4D, added: tf.Tensor4D) =>
    tf.tensorScatterUpdate(kept, at, tf.transpose(added, [1, 0, 2, 3])) as tf.Tensor4D;
  return { keys: into(cache.keys, keys), values: into(cache.values, values) };
}

/** @param queries [B, S, H, D]   @param hidden [S, places]   @returns [B, S, H, D] */
function reading(queries: tf.Tensor4D, { keys, values }: KeysAndValues, hidden: tf.Tensor2D): tf.Tensor4D {
  const [batch, sequence, heads, width] = queries.shape;
  const [places, , keyValueHeads] = keys.shape;
  const group = heads / keyValueHeads;
  const byGroup = tf.transpose(tf.reshape(queries, [batch, sequence, keyValueHeads, group, width]), [0, 2, 3, 1, 4]);
  const rows: tf.Tensor4D = tf.reshape(byGroup, [batch, keyValueHeads, group * sequence, width]);
  const [k, v] = [keys, values].map((cached) => tf.transpose(cached, [1, 2, 0, 3])) as [tf.Tensor4D, tf.Tensor4D];
  const scores = tf.matMul(tf.mul<tf.Tensor4D>(rows, 1 / Math.sqrt(width)), k, false, true); // [B, KV, G S, places]
  const masked = tf.add(tf.reshape(scores, [batch, keyValueHeads, group, sequence, places]), hidden);
  const weights: tf.Tensor4D = tf.reshape(tf.softmax(masked), [batch, keyValueHeads, group * sequence, places]);
  const read = tf.reshape(tf.matMul(weights, v), [batch, keyValueHeads, group, sequence, width]);
  return tf.reshape(tf.transpose(read, [0, 3, 1, 2, 4]), [batch, sequence, heads, width]);
}

function cacheOf(cache: Cache, layer: number): KeysAndValues {
  const found = cache[layer];
  if (found === undefined) throw new RangeError(`the cache has no layer ${layer}`);
  return found;
}
