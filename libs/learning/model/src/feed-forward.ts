/** The gated feed-forward block, SwiGLU: Shazeer 2020, arxiv.org/abs/2002.05202. */
import * as tf from "@tensorflow/tfjs-core";
import { after, hasKernel, runKernel } from "./kernels.ts";
import { inputGradient, linear, weightGradient } from "./linear.ts";
import { withGradient } from "./with-gradient.ts";

/**
 * (silu(gate) up) Wᵀ, with gate and up side by side. As one operation: the gradient computes silu(gate) up once more, so that the
 * widest tensor but one of a layer is not kept.
 *
 * @param gateUp [rows, 2 hidden]   @param weight [dim, hidden]   @returns [rows, dim]
 */
export function gatedProjection(gateUp: tf.Tensor2D, weight: tf.Tensor2D): tf.Tensor2D {
  return withGradient([gateUp, weight], () => ({
    value: linear(gated(gateUp), weight),
    saved: [gateUp, weight],
    gradients: (gradient, [keptGateUp, keptWeight]) => {
      const dActivation = inputGradient(gradient, keptWeight);
      const { dGateUp, activation } = gatedGradients(dActivation, after(keptGateUp, gradient));
      return [dGateUp, weightGradient(gradient, activation)];
    },
  }));
}

/** silu(gate) up, with silu(a) = a σ(a) and σ the logistic function: [rows, hidden]. */
export function gated(gateUp: tf.Tensor2D): tf.Tensor2D {
  if (hasKernel("SwiGlu")) return runKernel("SwiGlu", { gateUp })[0] as tf.Tensor2D;
  const [gate, up] = halves(gateUp);
  return tf.mul(tf.mul(gate, tf.sigmoid(gate)), up);
}

export type GatedGradients = {
  readonly dGateUp: tf.Tensor2D;
  /** silu(gate) up once more. */
  readonly activation: tf.Tensor2D;
};

/** silu'(a) = σ(a) + silu(a) (1 - σ(a)). */
export function gatedGradients(gradient: tf.Tensor2D, gateUp: tf.Tensor2D): GatedGradients {
  if (hasKernel("SwiGlu")) {
    const [dGateUp, activation] = runKernel("SwiGluGradient", { gateUp, gradient });
    return { dGateUp: dGateUp as tf.Tensor2D, activation: activation as tf.Tensor2D };
  }
  const [gate, up] = halves(gateUp);
  const open = tf.sigmoid(gate);
  const silu: tf.Tensor2D = tf.mul(gate, open);
  const slope = tf.add(open, tf.mul(silu, tf.sub(1, open)));
  return {
    dGateUp: tf.concat([tf.mul<tf.Tensor2D>(tf.mul(gradient, up), slope), tf.mul<tf.Tensor2D>(gradient, silu)], 1),
    activation: tf.mul(silu, up),
  };
}

function halves(gateUp: tf.Tensor2D): [tf.Tensor2D, tf.Tensor2D] {
  const [rows, width] = gateUp.shape;
  return [tf.slice(gateUp, [0, 0], [rows, width / 2]), tf.slice(gateUp, [0, width / 2], [rows, width / 2])];
}
