/** The gated feed-forward block, SwiGLU: Shazeer 2020, arxiv.org/abs/2002.05202. */
import * as tf from "@tensorflow/tfjs-core";
import { linear } from "./linear.ts";
import { matrix, type Weights } from "./weights.ts";
import { withGradient } from "./with-gradient.ts";

/** w2(silu(w1 x) * w3 x). @param x [batch, sequence, dim]   @param prefix `layers.3.feed_forward` */
export function feedForward(weights: Weights, prefix: string, x: tf.Tensor3D): tf.Tensor3D {
  const gate = linear(x, matrix(weights, `${prefix}.w1.weight`)); // [B, S, F]
  const up = linear(x, matrix(weights, `${prefix}.w3.weight`)); // [B, S, F]
  return linear(gated(gate, up), matrix(weights, `${prefix}.w2.weight`));
}

/**
 * silu(gate) up, with silu(a) = a σ(a) and σ the logistic function.
 *
 * silu'(a) = σ(a) + silu(a) (1 - σ(a)). By hand, since σ and silu of the widest tensors of a layer are cheaper to compute
 * twice than to keep.
 */
export function gated(gate: tf.Tensor3D, up: tf.Tensor3D): tf.Tensor3D {
  return withGradient([gate, up], () => ({
    value: tf.mul<tf.Tensor3D>(tf.mul(gate, tf.sigmoid(gate)), up),
    saved: [gate, up],
    gradients: (gradient, saved) => gatedGradients(gradient, ...saved),
  }));
}

function gatedGradients(gradient: tf.Tensor3D, gate: tf.Tensor3D, up: tf.Tensor3D): tf.Tensor[] {
  const open = tf.sigmoid(gate);
  const silu = tf.mul(gate, open);
  const slope = tf.add(open, tf.mul(silu, tf.sub(1, open)));
  return [tf.mul(tf.mul(gradient, up), slope), tf.mul(gradient, silu)];
}
