/** Shape comments that are executed. While a step is traced they run once, so they cost nothing in a step. */
import type * as tf from "@tensorflow/tfjs-core";

/** @throws RangeError naming the tensor whose shape is not the expected one; a bug of the caller, not bad input */
export function expectShape(tensors: Readonly<Record<string, tf.Tensor>>, expected: readonly number[]): void {
  for (const [name, { shape }] of Object.entries(tensors)) {
    if (shape.length === expected.length && shape.every((length, axis) => length === expected[axis])) continue;
    throw new RangeError(`${name} is [${shape.join(", ")}], expected [${expected.join(", ")}]`);
  }
}
