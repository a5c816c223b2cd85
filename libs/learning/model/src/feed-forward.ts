/** The gated feed-forward block, SwiGLU: Shazeer 2020, arxiv.org/abs/2002.05202. */
import * as tf from "@tensorflow/tfjs-core";
import { linear } from "./linear.ts";
import { matrix, type Weights } from "./weights.ts";

/** w2(silu(w1 x) * w3 x), silu(a) = a sigmoid(a). @param x [batch, sequence, dim]   @param prefix `layers.3.feed_forward` */
export function feedForward(weights: Weights, prefix: string, x: tf.Tensor3D): tf.Tensor3D {
  const gate = linear(x, matrix(weights, `${prefix}.w1.weight`)); // [B, S, F]
  const up = linear(x, matrix(weights, `${prefix}.w3.weight`)); // [B, S, F]
  const opened: tf.Tensor3D = tf.mul(tf.mul(gate, tf.sigmoid(gate)), up);
  return linear(opened, matrix(weights, `${prefix}.w2.weight`));
}
