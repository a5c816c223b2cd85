/** Weights in our names and order as the tensors of `model.safetensors`, and back. */
import type { StoredTensor } from "@pretrain/safetensors";
import { type LlamaShape, llamaParameters, rowsInHalves, rowsInPairs } from "./llama-mapping.ts";

/** @param weights ours by name, each with as many numbers as its shape @throws Error for one that is missing */
export function toLlamaTensors(
  weights: ReadonlyMap<string, Float32Array>,
  shape: LlamaShape,
): Map<string, StoredTensor & { readonly dtype: "F32" }> {
  const tensors = llamaParameters(shape).map(({ ours, theirs, shape: lengths, rotaryHeads }) => {
    const data = present(weights, ours);
    const ordered = rotaryHeads === undefined ? data : rowsInHalves(data, rotaryHeads, lengths[1] ?? 1);
    return [theirs, { dtype: "F32", shape: lengths, data: ordered }] as const;
  });
  return new Map(tensors);
}

/** @param tensors theirs by name, each with as many numbers as its shape @throws Error for one that is missing */
export function fromLlamaTensors(
  tensors: ReadonlyMap<string, Float32Array>,
  shape: LlamaShape,
): Map<string, Float32Array> {
  const weights = llamaParameters(shape).map(({ ours, theirs, shape: lengths, rotaryHeads }) => {
    const data = present(tensors, theirs);
    return [ours, rotaryHeads === undefined ? data : rowsInPairs(data, rotaryHeads, lengths[1] ?? 1)] as const;
  });
  return new Map(weights);
}

function present(tensors: ReadonlyMap<string, Float32Array>, name: string): Float32Array {
  const data = tensors.get(name);
  if (data !== undefined) return data;
  throw new Error(`the weights lack ${name}`);
}
