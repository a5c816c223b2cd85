/** Tensors by name, and what is done to all of them alike. */
import * as tf from "@tensorflow/tfjs-core";

export type NamedTensors = Readonly<Record<string, tf.Tensor>>;

/**
 * `change` of each tensor, by the same names. What it makes on its way is freed for each tensor, not at the end of all:
 * with AdamW that would be seven more copies of the weights.
 */
export function mapTensors(
  tensors: NamedTensors,
  change: (tensor: tf.Tensor, name: string) => tf.Tensor,
): NamedTensors {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [name, tf.tidy(() => change(tensor, name))]),
  );
}

/** @throws RangeError when there is no such tensor */
export function named(tensors: NamedTensors, name: string): tf.Tensor {
  const tensor = tensors[name];
  if (tensor === undefined) throw new RangeError(`there is no tensor ${name}`);
  return tensor;
}
