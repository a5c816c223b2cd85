/** The comparison of computed numbers with golden ones. */
import assert from "node:assert/strict";

/** A bound on each difference; `relative` is a share of the largest expected number of the tensor, not of each. */
export type Tolerance = number | { readonly relative: number };

/**
 * Every number lies within the tolerance of the one expected in its place. Two infinities of one sign agree; NaN agrees
 * with nothing.
 *
 * @throws AssertionError naming the worst place, what stands there and what was expected
 */
export function assertClose(
  actual: number | ArrayLike<number>,
  expected: number | ArrayLike<number>,
  tolerance: Tolerance,
  what = "value",
): void {
  const [found, wanted] = [listOf(actual), listOf(expected)];
  assert.equal(found.length, wanted.length, `${what}: ${found.length} numbers, expected ${wanted.length}`);
  const bound = typeof tolerance === "number" ? tolerance : tolerance.relative * largest(wanted);
  const worst = worstOf(found, wanted);
  const place = `${what}[${worst.index}]: ${found[worst.index]}, expected ${wanted[worst.index]}`;
  assert.ok(worst.difference <= bound, `${place}; they differ by ${worst.difference}, the bound is ${bound}`);
}

function listOf(numbers: number | ArrayLike<number>): ArrayLike<number> {
  return typeof numbers === "number" ? [numbers] : numbers;
}

function largest(numbers: ArrayLike<number>): number {
  let size = 0;
  for (let index = 0; index < numbers.length; index += 1) size = Math.max(size, Math.abs(numbers[index] ?? 0));
  return size;
}

function worstOf(found: ArrayLike<number>, wanted: ArrayLike<number>): { index: number; difference: number } {
  let worst = { index: 0, difference: 0 };
  for (let index = 0; index < wanted.length; index += 1) {
    const difference = found[index] === wanted[index] ? 0 : Math.abs((found[index] ?? NaN) - (wanted[index] ?? NaN));
    if (Number.isNaN(difference)) return { index, difference };
    if (difference > worst.difference) worst = { index, difference };
  }
  return worst;
}
