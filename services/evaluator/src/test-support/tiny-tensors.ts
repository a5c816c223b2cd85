/** Weights of the tiny model as eager tensors. */
import { parameterShapes } from "@pretrain/model";
import { tf } from "@pretrain/tensorflow-native";
import { tinyShape } from "./tiny-experiment.ts";

/** The same as eager tensors, for the plain way to what the service computes by traced functions. */
export function tinyTensors(weights: ReadonlyMap<string, Float32Array>): Record<string, tf.Tensor> {
  const shapes = parameterShapes(tinyShape);
  return Object.fromEntries(
    [...weights].map(([name, values]) => [name, tf.tensor(values, [...(shapes.get(name) ?? [])])]),
  );
}
