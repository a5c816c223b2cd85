/**
 * Kernels that a backend may have beyond tfjs's own: one pass over memory where the plain graph needs many. Whoever runs one has a
 * plain graph with the same numbers for backends that lack it, and a test that the two agree.
 */
import * as tf from "@tensorflow/tfjs-core";

export type KernelName =
  | "After"
  | "CausalAttention"
  | "CachedAttention"
  | "RmsNorm"
  | "SwiGlu"
  | "SoftmaxCrossEntropy"
  | "ThinProduct"
  | "AdamW"
  | "SumOfSquares";

/** Whether the current backend has the kernel, and its gradient if it has one. */
export function hasKernel(name: KernelName): boolean {
  return tf.getKernel(name, tf.getBackend()) !== undefined;
}

/** The outputs of a kernel, or of its gradient. What is called is not differentiated. */
export function runKernel(
  name: KernelName | "CausalAttentionGradient" | "RmsNormGradient" | "SwiGluGradient",
  inputs: Readonly<Record<string, tf.Tensor>>,
  attributes: Readonly<Record<string, number>> = {},
): tf.Tensor[] {
  const outputs: tf.Tensor | tf.Tensor[] = tf.engine().runKernel(name, { ...inputs }, { ...attributes });
  return Array.isArray(outputs) ? outputs : [outputs];
}

/**
 * `x`, where a backend that plans ahead must not compute what follows from it before `other` is there. Without it a backward pass
 * that recomputes would be taken for a repetition of the forward pass, and its intermediate tensors kept instead.
 */
export function after<T extends tf.Tensor>(x: T, other: tf.Tensor): T {
  return hasKernel("After") ? (tf.engine().runKernel("After", { x, other }) as T) : x;
}
