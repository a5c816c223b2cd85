/** What a traced function gave out, as the type that it must have. */
import type { Elements } from "@pretrain/tensor-graph";

export function float32(elements: Elements | undefined): Float32Array {
  if (elements instanceof Float32Array) return elements;
  throw new Error("an output is missing, or is not float32");
}

export function int32(elements: Elements | undefined): Int32Array {
  if (elements instanceof Int32Array) return elements;
  throw new Error("an output is missing, or is not int32");
}
