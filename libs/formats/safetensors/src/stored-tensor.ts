/**
 * What a file can hold: the element types that this project writes, and the two narrow ones that others write their weights in, each
 * with the typed array that carries it in memory. No array knows BF16: its bits are the upper half of a float32's.
 */
export const arrayTypes = {
  F64: Float64Array,
  F32: Float32Array,
  I64: BigInt64Array,
  I32: Int32Array,
  F16: Float16Array,
  BF16: Uint16Array,
  U8: Uint8Array,
} as const;

export type Dtype = keyof typeof arrayTypes;

/** The same for the compiler, over whatever kind of memory (a file's own buffer, a shared one). */
interface ArrayOf {
  readonly F64: Float64Array;
  readonly F32: Float32Array;
  readonly I64: BigInt64Array;
  readonly I32: Int32Array;
  readonly F16: Float16Array;
  readonly BF16: Uint16Array;
  readonly U8: Uint8Array;
}

interface TensorOf<D extends Dtype> {
  readonly dtype: D;
  /** Empty for a scalar. */
  readonly shape: readonly number[];
  /** Row-major, little-endian; its length is the product of `shape`. */
  readonly data: ArrayOf[D];
}

export type StoredTensor = { [D in Dtype]: TensorOf<D> }[Dtype];

export function isDtype(name: unknown): name is Dtype {
  return typeof name === "string" && Object.hasOwn(arrayTypes, name);
}

export function elementSizeBytes(dtype: Dtype): number {
  return arrayTypes[dtype].BYTES_PER_ELEMENT;
}

/** The elements of a tensor of that shape: 1 for a scalar. `NaN` when the number is too large to be exact. */
export function elementCount(shape: readonly number[]): number {
  const count = shape.reduce((product, length) => product * length, 1);
  return Number.isSafeInteger(count) ? count : Number.NaN;
}
