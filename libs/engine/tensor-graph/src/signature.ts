/** The shapes and types that a traced function takes and gives. */

/** Types of values that cross between JavaScript and a traced function. */
export type ElementType = "float32" | "int32" | "bool";

export interface TensorSpec {
  readonly shape: readonly number[];
  readonly dtype: ElementType;
}

export type TensorSpecs = Readonly<Record<string, TensorSpec>>;

/** What of JavaScript holds the elements of float32, int32 and bool. */
export type Elements = Float32Array | Int32Array | Uint8Array;

export function elementCount({ shape }: { readonly shape: readonly number[] }): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** `float32[8, 512]` */
export function described({ dtype, shape }: { readonly dtype: string; readonly shape: readonly number[] }): string {
  return `${dtype}[${shape.join(", ")}]`;
}

const arrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;

export function zeros(spec: TensorSpec): Elements {
  return new arrays[spec.dtype](elementCount(spec));
}

/** @throws TypeError naming the value, what it should be and what it is */
export function expectElements(name: string, elements: Elements, spec: TensorSpec): void {
  if (elements instanceof arrays[spec.dtype] && elements.length === elementCount(spec)) return;
  const found = `a ${elements.constructor.name} of ${elements.length} elements`;
  throw new TypeError(
    `${name} must be ${described(spec)}, ${elementCount(spec)} elements in a ${arrays[spec.dtype].name}; it is ${found}`,
  );
}
