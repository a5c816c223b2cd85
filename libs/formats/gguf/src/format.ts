/**
 * The layout, version 3, little-endian. Source: github.com/ggml-org/ggml, docs/gguf.md.
 *
 *     "GGUF"  version  tensors  values      4, 4, 8 and 8 bytes
 *     key  type  value                      of each value
 *     name  lengths  type  offset           of each tensor; lengths from the innermost one on, offsets from where the data begins
 *     padding to a multiple of 32
 *     data of each tensor, padded in the same way
 *
 * Of the element types only float32 is written and read, of the values those that describe a language model.
 */

export type GgufValue =
  | { readonly type: "uint32" | "float32"; readonly value: number }
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "strings"; readonly value: readonly string[] }
  | { readonly type: "int32s"; readonly value: readonly number[] };

export interface GgufTensor {
  /** The outermost length first, as everywhere in this project. */
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export interface GgufContent {
  readonly values: ReadonlyMap<string, GgufValue>;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
}

export const magic = "GGUF";
export const version = 3;
/** Where the data begins, and each tensor in it, is a multiple of this. The format's default; a file may state another one. */
export const alignment = 32;

/** Numbers of the value types. */
export const typeNumbers = { uint32: 4, int32: 5, float32: 6, bool: 7, string: 8, array: 9 } as const;
/** Number of the element type float32. */
export const float32Type = 0;

/** Tensors have 1 to 4 lengths. */
export const mostLengths = 4;
/** Far more than a vocabulary of 65,536 with its merges, far less than what would fill a memory. */
export const itemsLimit = 2 ** 20;
/** Of a key, a name or a text. */
export const textLimitBytes = 2 ** 16;

export function aligned(bytes: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}
