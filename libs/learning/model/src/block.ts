/** One layer: attention and feed-forward, each behind a norm and added to the stream. */
import * as tf from "@tensorflow/tfjs-core";
import { causalAttention } from "./attention.ts";
import { feedForward } from "./feed-forward.ts";
import { linear } from "./linear.ts";
import { headDimension, type ModelShape } from "./model-shape.ts";
import { rmsNorm } from "./rms-norm.ts";
import { type Rotations, rotated } from "./rotary.ts";
import { matrix, vector, type Weights } from "./weights.ts";

/**
 * Rotated keys, and values, of the positions seen so far: [batch, positions, kv_heads, head_dim]. A type, as all that holds
 * tensors is: `tf.tidy` does not take interfaces.
 */
export type KeysAndValues = {
  readonly keys: tf.Tensor4D;
  readonly values: tf.Tensor4D;
};

/**
 * The stream behind layer `layer`, and all keys and values that its attention read: those of `past` and then those of x.
 *
 * @param x [batch, sequence, dim]   @param past of the tokens before x, none when x begins the sequence
 */
export function block(
  weights: Weights,
  layer: number,
  x: tf.Tensor3D,
  shape: ModelShape,
  rotations: Rotations,
  past?: KeysAndValues,
): { readonly stream: tf.Tensor3D; readonly seen: KeysAndValues } {
  const prefix = `layers.${layer}`;
  const attentionInput = rmsNorm(x, vector(weights, `${prefix}.attention_norm.weight`), shape.normEps);
  const { queries, keys, values } = projections(weights, prefix, attentionInput, shape, rotations);
  const seen = past === undefined ? { keys, values } : appended(past, { keys, values });
  const read = attended(queries, seen);
  const afterAttention: tf.Tensor3D = tf.add(x, linear(read, matrix(weights, `${prefix}.attention.wo.weight`)));
  const feedForwardInput = rmsNorm(afterAttention, vector(weights, `${prefix}.ffn_norm.weight`), shape.normEps);
  const stream: tf.Tensor3D = tf.add(afterAttention, feedForward(weights, `${prefix}.feed_forward`, feedForwardInput));
  return { stream, seen };
}

/** Queries [batch, sequence, heads, head_dim] and keys, both rotated, and values, [batch, sequence, kv_heads, head_dim]. */
export function projections(
  weights: Weights,
  prefix: string,
  x: tf.Tensor3D,
  shape: ModelShape,
  rotations: Rotations,
): KeysAndValues & { readonly queries: tf.Tensor4D } {
  const [batch, sequence] = x.shape;
  const heads = (name: string, count: number): tf.Tensor4D => {
    const projected = linear(x, matrix(weights, `${prefix}.attention.${name}.weight`));
    return tf.reshape(projected, [batch, sequence, count, headDimension(shape)]);
  };
  return {
    queries: rotated(heads("wq", shape.heads), rotations),
    keys: rotated(heads("wk", shape.keyValueHeads), rotations),
    values: heads("wv", shape.keyValueHeads),
  };
}

function appended(past: KeysAndValues, { keys, values }: KeysAndValues): KeysAndValues {
  return { keys: tf.concat([past.keys, keys], 1), values: tf.concat([past.values, values], 1) };
}

/** What the queries read, their heads side by side: [batch, sequence, heads * head_dim]. Heads lead while attention runs. */
export function attended(queries: tf.Tensor4D, { keys, values }: KeysAndValues): tf.Tensor3D {
  const [batch, sequence, heads, headDim] = queries.shape;
  const keyValueHeads = keys.shape[2];
  const grouped: tf.Tensor5D = tf.reshape(queries, [batch, sequence, keyValueHeads, heads / keyValueHeads, headDim]);
  const read = causalAttention(
    tf.transpose(grouped, [0, 2, 3, 1, 4]),
    tf.transpose(keys, [0, 2, 1, 3]),
    tf.transpose(values, [0, 2, 1, 3]),
  );
  return tf.reshape(tf.transpose(read, [0, 3, 1, 2, 4]), [batch, sequence, heads * headDim]);
}
