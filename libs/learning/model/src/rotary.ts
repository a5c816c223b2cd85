/** Rotary position encoding: Su et al. 2021, arxiv.org/abs/2104.09864, on neighbouring pairs as the complex form has it. */
import * as tf from "@tensorflow/tfjs-core";
import { withGradient } from "./with-gradient.ts";

/**
 * The rotations of a run of positions, laid out to be multiplied with all heads at once: both [sequence, heads, head_dim].
 * At pair k of a head, (2k, 2k + 1), `cos` holds (cos a, cos a) and `sin` (-sin a, sin a), a = position * theta^(-2k / head_dim).
 */
export interface Rotations {
  readonly cos: tf.Tensor3D;
  readonly sin: tf.Tensor3D;
}

/** @param start position of the first token: the length of what is already in the cache */
export function rotations(
  sequence: { readonly start: number; readonly length: number },
  heads: number,
  headDim: number,
  theta: number,
): Rotations {
  const { start, length } = sequence;
  const cos = new Float32Array(length * headDim);
  const sin = new Float32Array(length * headDim);
  for (let index = 0; index < length; index += 1) {
    for (let even = 0; even < headDim; even += 2) {
      const angle = (start + index) * theta ** (-even / headDim); // in float64: a float32 angle of 500 is off by 3e-5
      const at = index * headDim + even;
      cos.fill(Math.cos(angle), at, at + 2);
      sin.set([-Math.sin(angle), Math.sin(angle)], at);
    }
  }
  const forAllHeads = (values: Float32Array) => tf.tile(tf.tensor3d(values, [length, 1, headDim]), [1, heads, 1]);
  return { cos: forAllHeads(cos), sin: forAllHeads(sin) };
}

/**
 * Each pair (a, b) of x becomes (a cos - b sin, a sin + b cos): x times the cosines plus x with a and b exchanged times
 * the signed sines. Its gradient is the turn back, so nothing of x is kept; slices of every second number would do the
 * same, but their gradients write a tensor of zeros for each.
 *
 * @param x [batch, sequence, heads, head_dim], of all the heads that the rotations have, or of fewer
 */
export function rotated(x: tf.Tensor4D, rotations: Rotations): tf.Tensor4D {
  const [, sequence, heads, headDim] = x.shape;
  return withGradient([x], () => {
    const part = (all: tf.Tensor3D) => tf.slice(all, [0, 0, 0], [sequence, heads, headDim]);
    const [cos, sin] = [part(rotations.cos), part(rotations.sin)];
    return {
      value: turned(x, cos, sin),
      saved: [cos, sin],
      gradients: (gradient, [keptCos, keptSin]) => [turned(gradient, keptCos, tf.neg(keptSin))],
    };
  });
}

function turned(x: tf.Tensor4D, cos: tf.Tensor3D, sin: tf.Tensor3D): tf.Tensor4D {
  return tf.add(tf.mul(x, cos), tf.mul(exchanged(x), sin));
}

/** (a, b, c, d, …) as (b, a, d, c, …) along the last axis. */
function exchanged(x: tf.Tensor4D): tf.Tensor4D {
  const pairs = tf.reshape(x, [-1, 2]);
  return tf.reshape(tf.reverse(pairs, 1), x.shape);
}
