/** The shapes and types that a traced function takes and gives. */

/** Types of values that cross between JavaScript and a traced function. */
export type ElementType = "float32" | "int32" | "bool";

export interface TensorSpec {
  readonly shape: readonly number[];
  readonly dtype: ElementType;
}

export type TensorSpecs = Readonly<Record<string, TensorSpec>>;

/** What of JavaScript holds each type's elements. */
export interface ElementArrays {
  readonly float32: Float32Array;
  readonly int32: Int32Array;
  readonly bool: Uint8Array;
}

export type Elements = ElementArrays[ElementType];

export function elementCount({ shape }: { readonly shape: readonly number[] }): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** `float32[8, 512]` */
export function described({ dtype, shape }: { readonly dtype: string; readonly shape: readonly number[] }): string {
  return `${dtype}[${shape.join(", ")}]`;
}

/** @throws TypeError naming the value, what it should be and what it is */
export function expectElements(name: string, elements: Elements, spec: TensorSpec): void {
  const found = elements instanceof Float32Array ? "float32" : elements instanceof Int32Array ? "int32" : "bool";
  if (found === spec.dtype && elements.length === elementCount(spec)) return;
  throw new TypeError(`${name} must be ${described(spec)}, is ${found} of ${elements.length} elements`);
}
