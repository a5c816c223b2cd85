/** The hashed weights as tensors. */
import type { ModelShape, Weights } from "@pretrain/model";
import { tf } from "@pretrain/tensorflow-native";
import { hashedWeights } from "./hashed.ts";

export function weightsOnDevice(shape: ModelShape): Weights {
  const tensors: Record<string, tf.Tensor> = {};
  for (const { name, shape: lengths, values } of hashedWeights(shape)) tensors[name] = tf.tensor(values, [...lengths]);
  return tensors;
}
