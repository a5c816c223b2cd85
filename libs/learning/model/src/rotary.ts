/** Rotary position encoding: Su et al. 2021, arxiv.org/abs/2104.09864, on neighbouring pairs as the complex form has it. */
import * as tf from "@tensorflow/tfjs-core";

/** Cosines and sines of the angles of each position, of each pair of a head: both [positions, head_dim / 2]. */
export type Rotations = {
  readonly cos: tf.Tensor2D;
  readonly sin: tf.Tensor2D;
};

/** The angle of pair k at position p is p * theta^(-2k / head_dim). */
export function rotations(positions: number, headDim: number, theta: number): Rotations {
  const pairs = headDim / 2;
  const angles = Float64Array.from({ length: positions * pairs }, (_, index) => {
    return Math.floor(index / pairs) * theta ** ((-2 * (index % pairs)) / headDim); // in float64: a float32 angle of 500 is off by 3e-5
  });
  const tableOf = (value: (angle: number) => number) =>
    tf.tensor2d(Float32Array.from(angles, value), [positions, pairs]);
  return { cos: tableOf(Math.cos), sin: tableOf(Math.sin) };
}

/**
 * Each pair (a, b) of x becomes (a cos - b sin, a sin + b cos): x times the cosines plus x with a and b exchanged times the signed
 * sines. Slices of every second number would do the same, but their gradients write a tensor of zeros for each.
 *
 * @param x [batch, sequence, heads, head_dim]   @param rotations of `sequence` positions
 */
export function rotated(x: tf.Tensor4D, { cos, sin }: Rotations): tf.Tensor4D {
  return turned(x, cos, tf.stack<tf.Tensor2D>([tf.neg(sin), sin], 2));
}

/** The turn back: the gradient of `rotated`, and its inverse. */
export function rotatedBack(x: tf.Tensor4D, { cos, sin }: Rotations): tf.Tensor4D {
  return turned(x, cos, tf.stack<tf.Tensor2D>([sin, tf.neg(sin)], 2));
}

function turned(x: tf.Tensor4D, cos: tf.Tensor2D, signedSin: tf.Tensor): tf.Tensor4D {
  const [, sequence, heads, headDim] = x.shape;
  const forAllHeads = (pairs: tf.Tensor) => tf.tile(tf.reshape(pairs, [sequence, 1, headDim]), [1, heads, 1]);
  const exchanged = tf.reshape(tf.reverse(tf.reshape(x, [-1, 2]), 1), x.shape); // (a, b, c, d, …) as (b, a, d, c, …)
  return tf.add(tf.mul(x, forAllHeads(tf.stack([cos, cos], 2))), tf.mul(exchanged, forAllHeads(signedSin)));
}
