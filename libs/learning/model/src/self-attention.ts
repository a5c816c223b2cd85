/** Attention of a sequence to itself, from the projections of a layer to what its heads have read. */
import * as tf from "@tensorflow/tfjs-core";
import { attentionGradients, causalAttention } from "./attention.ts";
import { after, hasKernel, runKernel } from "./kernels.ts";
import { headDimension, type ModelShape } from "./model-shape.ts";
import { type Rotations, rotated, rotatedBack } from "./rotary.ts";
import { withGradient } from "./with-gradient.ts";

/**
 * Rotates queries and keys by their positions and lets each position read those up to itself. One operation with one gradient: all
 * that the backward pass needs besides the projections is what was read.
 *
 * @param qkv [batch, sequence, (heads + 2 kv_heads) head_dim]: the query heads, the key heads, the value heads
 * @param rotations of `sequence` positions   @returns [batch, sequence, heads * head_dim], heads side by side
 */
export function selfAttention(qkv: tf.Tensor3D, rotations: Rotations, shape: ModelShape): tf.Tensor3D {
  const isOneKernel = hasKernel("CausalAttention") && isHeadForKernel(headDimension(shape));
  return isOneKernel ? oneKernel(qkv, rotations, shape) : plainGraph(qkv, rotations, shape);
}

/** The kernel computes whole vectors. */
function isHeadForKernel(width: number): boolean {
  return width % 8 === 0 && width <= 128;
}

function oneKernel(qkv: tf.Tensor3D, { cos, sin }: Rotations, shape: ModelShape): tf.Tensor3D {
  const attributes = { heads: shape.heads, keyValueHeads: shape.keyValueHeads };
  return withGradient([qkv], () => {
    const [read, logSumExp] = runKernel("CausalAttention", { qkv, cos, sin }, attributes);
    return {
      value: read as tf.Tensor3D,
      saved: [qkv, cos, sin, read as tf.Tensor3D, logSumExp as tf.Tensor3D],
      gradients: (gradient, [keptQkv, keptCos, keptSin, y, statistics]) => {
        const inputs = { qkv: keptQkv, cos: keptCos, sin: keptSin, y, logSumExp: statistics, gradient };
        return runKernel("CausalAttentionGradient", inputs, attributes);
      },
    };
  });
}

function plainGraph(qkv: tf.Tensor3D, rotations: Rotations, shape: ModelShape): tf.Tensor3D {
  return withGradient([qkv], () => {
    const value = headsSideBySide(causalAttention(...grouped(qkv, rotations, shape)));
    return {
      value,
      saved: [qkv, rotations.cos, rotations.sin, value],
      gradients: (gradient, [keptQkv, cos, sin, read]) => {
        const turns = { cos, sin };
        const [q, k, v] = grouped(after(keptQkv, gradient), turns, shape);
        const { dq, dk, dv } = attentionGradients(byGroup(gradient, q), q, k, v, byGroup(read, q));
        const [dQueries, dKeys] = [sequenceFirst(merged(dq)), sequenceFirst(dk)];
        const heads = [rotatedBack(dQueries, turns), rotatedBack(dKeys, turns), sequenceFirst(dv)];
        return [tf.reshape(tf.concat(heads, 2), qkv.shape)];
      },
    };
  });
}

/** Rotated queries [B, KV, G, S, D] and keys, and values, [B, KV, S, D]. */
function grouped(qkv: tf.Tensor3D, rotations: Rotations, shape: ModelShape): [tf.Tensor5D, tf.Tensor4D, tf.Tensor4D] {
  const { queries, keys, values } = separateHeads(qkv, shape);
  const [batch, sequence, heads, width] = queries.shape;
  const { keyValueHeads } = shape;
  const q = tf.reshape(rotated(queries, rotations), [batch, sequence, keyValueHeads, heads / keyValueHeads, width]);
  return [
    tf.transpose<tf.Tensor5D>(q as tf.Tensor5D, [0, 2, 3, 1, 4]),
    tf.transpose(rotated(keys, rotations), [0, 2, 1, 3]),
    tf.transpose(values, [0, 2, 1, 3]),
  ];
}

/** Queries [batch, sequence, heads, head_dim], keys and values [batch, sequence, kv_heads, head_dim]. */
export function separateHeads(qkv: tf.Tensor3D, shape: ModelShape) {
  const [batch, sequence] = qkv.shape;
  const { heads, keyValueHeads } = shape;
  const width = headDimension(shape);
  const all: tf.Tensor4D = tf.reshape(qkv, [batch, sequence, heads + 2 * keyValueHeads, width]);
  const part = (first: number, count: number) => tf.slice(all, [0, 0, first, 0], [batch, sequence, count, width]);
  return {
    queries: part(0, heads),
    keys: part(heads, keyValueHeads),
    values: part(heads + keyValueHeads, keyValueHeads),
  };
}

/** [B, S, H D] as [B, KV, G, S, D], as `like` is. */
function byGroup(x: tf.Tensor3D, like: tf.Tensor5D): tf.Tensor5D {
  const [batch, keyValueHeads, group, sequence, width] = like.shape;
  return tf.transpose(tf.reshape(x, [batch, sequence, keyValueHeads, group, width]), [0, 2, 3, 1, 4]);
}

/** [B, KV, G, S, D] as [B, H, S, D]. */
function merged(x: tf.Tensor5D): tf.Tensor4D {
  const [batch, keyValueHeads, group, sequence, width] = x.shape;
  return tf.reshape(x, [batch, keyValueHeads * group, sequence, width]);
}

/** [B, H, S, D] as [B, S, H, D]. */
function sequenceFirst(x: tf.Tensor4D): tf.Tensor4D {
  return tf.transpose(x, [0, 2, 1, 3]);
}

function headsSideBySide(read: tf.Tensor5D): tf.Tensor3D {
  const [batch, , , sequence] = read.shape;
  return tf.reshape(sequenceFirst(merged(read)), [batch, sequence, -1]);
}
