/** The sums that a record shows beside its measurements, each with its base in its name. */

/** By how much of `from` it became less, in percent: negative when it became more. `undefined` when `from` is 0. */
export function reductionPercent(from: number, to: number): number | undefined {
  return percentOf(from - to, from);
}

/** `part` in percent of `whole`; `undefined` when there is no whole. */
export function percentOf(part: number, whole: number): number | undefined {
  return whole === 0 ? undefined : (part / whole) * 100;
}

/** Of equal things, such as marks from 1 to 10. Not for losses: those have tokens, and `meanNatsPerToken`. */
export function mean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}
