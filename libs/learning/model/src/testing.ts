/** What this package's tests share: golden numbers as tensors. */
import "@pretrain/tensorflow-native";
import assert from "node:assert/strict";
import { type GoldenConfig, type GoldenSet, type GoldenTensors, goldenShape } from "@pretrain/golden";
import * as tf from "@tensorflow/tfjs-core";
import type { ModelShape, Weights } from "./index.ts";

/** A golden tensor, float64 rounded to float32. */
export function tensorOf<R extends tf.Rank>(golden: GoldenTensors, name: string): tf.Tensor<R> {
  return tf.tensor<R>(Float32Array.from(valuesOf(golden, name)), shapeOf<R>(golden, name));
}

export function valuesOf(golden: GoldenTensors, name: string): Float64Array {
  const tensor = golden.get(name);
  assert(tensor !== undefined, `there is no ${name}`);
  return tensor.values;
}

function shapeOf<R extends tf.Rank>(golden: GoldenTensors, name: string): tf.ShapeMap[R] {
  return golden.get(name)?.shape as tf.ShapeMap[R];
}

export function goldenModel(set: GoldenSet): { readonly shape: ModelShape; readonly weights: Weights } {
  const config = set.json<GoldenConfig>("config.json");
  const stored = set.tensors("weights.f32.safetensors");
  const weights = Object.fromEntries([...stored.keys()].map((name) => [name, tensorOf(stored, name)]));
  return { shape: goldenShape(config, config.max_seq_len), weights };
}
