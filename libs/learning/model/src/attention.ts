/**
 * Causal attention with grouped queries (Ainslie et al. 2023, arxiv.org/abs/2305.13245), in chunks of queries. A chunk
 * reads keys only up to its own end, so that nearly half of the square is never computed:
 *
 *                  keys
 *              ┌───┬───┬───┐
 *      queries │ ◣ │   │   │   ◣ the block in which the mask decides
 *              ├───┼───┼───┤
 *              │ ■ │ ◣ │   │   ■ all keys visible
 *              ├───┼───┼───┤
 *              │ ■ │ ■ │ ◣ │
 *              └───┴───┴───┘
 *
 * The probabilities of a chunk are not kept for the gradient but computed once more (Dao et al. 2022,
 * arxiv.org/abs/2205.14135): at 8 x 512 tokens they would take 1.2 GiB.
 */
import * as tf from "@tensorflow/tfjs-core";

const queriesPerChunk = 128; // 64 is as fast; 256 loses 4 %, 512 loses 10 % (8 x 512 tokens on two cores)

/**
 * softmax(q kᵀ / √head_dim + mask) v. Query head j reads key and value head floor(j / group); keys are not repeated:
 * the queries of a group are the rows of one product. `attentionGradients` is its gradient.
 *
 * @param q [batch, kv_heads, group, queries, head_dim], of the last ones of the positions that have keys
 * @param k, v [batch, kv_heads, keys, head_dim]   @param chunkLength in queries   @returns the shape of q
 */
export function causalAttention(
  q: tf.Tensor5D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  chunkLength = queriesPerChunk,
): tf.Tensor5D {
  const parts = chunksOf(q.shape[3], k.shape[2], chunkLength).map((chunk) =>
    tf.tidy(() => product(attentionProbabilities(queriesOf(q, chunk), keysOf(k, chunk)), keysOf(v, chunk))),
  );
  return tf.concat(parts, 3);
}

/** How much each of the last positions takes from each key: [batch, kv_heads, group, queries, keys], rows sum to 1. */
export function attentionProbabilities(q: tf.Tensor5D, k: tf.Tensor4D): tf.Tensor5D {
  return tf.tidy(() => {
    const scaled: tf.Tensor5D = tf.mul(q, 1 / Math.sqrt(k.shape[3])); // here, not where the tensor is `keys` wide
    return tf.softmax(tf.add(product(scaled, k, true), causalMask(q.shape[3], k.shape[2])));
  });
}

/**
 * [queries, keys], 0 where a query sees the key, -1e30 where the key comes after it. Finite, so that no 0 * ∞ can make a
 * NaN; exp(-1e30) is 0.
 */
function causalMask(queries: number, keys: number): tf.Tensor2D {
  const queryPositions = tf.reshape(tf.range(keys - queries, keys, 1, "int32"), [queries, 1]);
  const keyPositions = tf.reshape(tf.range(0, keys, 1, "int32"), [1, keys]);
  return tf.mul(tf.cast(tf.greater(keyPositions, queryPositions), "float32"), -1e30);
}

/** A run of queries and the number of keys before its end. */
interface Chunk {
  readonly begin: number;
  readonly end: number;
  readonly keys: number;
}

function chunksOf(queries: number, keys: number, length: number): readonly Chunk[] {
  return Array.from({ length: Math.ceil(queries / length) }, (_, index) => {
    const begin = index * length;
    const end = Math.min(begin + length, queries);
    return { begin, end, keys: keys - queries + end };
  });
}

/** The gradients with respect to q, k and v. @param gradient that of `output`, which `causalAttention` gave for q, k and v */
export function attentionGradients(
  gradient: tf.Tensor5D,
  q: tf.Tensor5D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  output: tf.Tensor5D,
  chunkLength = queriesPerChunk,
): { readonly dq: tf.Tensor5D; readonly dk: tf.Tensor4D; readonly dv: tf.Tensor4D } {
  const chunks = chunksOf(q.shape[3], k.shape[2], chunkLength);
  const shares: tf.Tensor5D = tf.sum(tf.mul(gradient, output), -1, true); // [B, KV, G, T, 1]
  const parts = chunks.map((chunk) => {
    const ofChunk = [queriesOf(q, chunk), keysOf(k, chunk), keysOf(v, chunk)] as const;
    return tf.tidy(() => chunkGradients(queriesOf(gradient, chunk), queriesOf(shares, chunk), ...ofChunk));
  });
  const dq = tf.concat(
    parts.map((part) => part.dQueries),
    3,
  );
  const dk = parts.map(({ dKeys }) => padded(dKeys, k)).reduce((sum, part) => tf.add(sum, part));
  const dv = parts.map(({ dValues }) => padded(dValues, v)).reduce((sum, part) => tf.add(sum, part));
  return { dq, dk, dv };
}

/**
 * With P the probabilities, dO the gradient of the output O and D = Σ dO O of each query (which is Σ dP P):
 * dV = Pᵀ dO,  dP = dO Vᵀ,  dS = P (dP - D),  dQ = dS K / √head_dim,  dK = dSᵀ Q / √head_dim.
 *
 * @param gradient dO   @param shares D
 */
function chunkGradients(
  gradient: tf.Tensor5D,
  shares: tf.Tensor5D,
  queries: tf.Tensor5D,
  keys: tf.Tensor4D,
  values: tf.Tensor4D,
) {
  const probabilities = attentionProbabilities(queries, keys);
  const dScores: tf.Tensor5D = tf.mul(probabilities, tf.sub(product(gradient, values, true), shares));
  const scale = 1 / Math.sqrt(keys.shape[3]);
  return {
    dQueries: tf.mul<tf.Tensor5D>(product(dScores, keys), scale),
    dKeys: tf.mul<tf.Tensor4D>(transposedProduct(dScores, queries), scale),
    dValues: transposedProduct(probabilities, gradient),
  };
}

/** The part of a [batch, kv_heads, group, queries, …] tensor that a chunk holds. */
function queriesOf(x: tf.Tensor5D, { begin, end }: Chunk): tf.Tensor5D {
  const [batch, keyValueHeads, group, , width] = x.shape;
  return tf.slice(x, [0, 0, 0, begin, 0], [batch, keyValueHeads, group, end - begin, width]);
}

function keysOf(x: tf.Tensor4D, { keys }: Chunk): tf.Tensor4D {
  const [batch, keyValueHeads, , width] = x.shape;
  return tf.slice(x, [0, 0, 0, 0], [batch, keyValueHeads, keys, width]);
}

/** x y, or x yᵀ, with the group folded into the rows. @param x [B, KV, G, C, n]   @param y [B, KV, n, m] or [B, KV, m, n] */
function product(x: tf.Tensor5D, y: tf.Tensor4D, transposed = false): tf.Tensor5D {
  const [batch, keyValueHeads, group, queries] = x.shape;
  const folded = tf.matMul(foldedGroup(x), y, false, transposed);
  return tf.reshape(folded, [batch, keyValueHeads, group, queries, -1]);
}

/** xᵀ y, summed over the queries of a group. @param x [B, KV, G, C, n]   @param y [B, KV, G, C, m]   @returns [B, KV, n, m] */
function transposedProduct(x: tf.Tensor5D, y: tf.Tensor5D): tf.Tensor4D {
  return tf.matMul(foldedGroup(x), foldedGroup(y), true);
}

function foldedGroup(x: tf.Tensor5D): tf.Tensor4D {
  const [batch, keyValueHeads, group, queries, width] = x.shape;
  return tf.reshape(x, [batch, keyValueHeads, group * queries, width]);
}

/** Zeros for the keys that a chunk does not read. */
function padded(gradient: tf.Tensor4D, { shape }: tf.Tensor4D): tf.Tensor4D {
  const missing = shape[2] - gradient.shape[2];
  // biome-ignore format: one pair for each axis
  return tf.pad(gradient, [[0, 0], [0, 0], [0, missing], [0, 0]]);
}
