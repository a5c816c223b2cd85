/** Rows drawn with replacement, and the interval of what was computed from the draws. */

/** In the unit of what was computed. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

export const resamples = 1000;
const outside = 0.025; // on each side: the interval holds 95 of 100

/**
 * Which row each draw of a resample takes. By counters, not by a generator with a state: it depends on these numbers and nothing else.
 *
 * @param seed an unsigned 32-bit integer   @returns from the number of the draw to the index of a row
 */
export function drawnRows(seed: number, resample: number, rows: number): (draw: number) => number {
  const start = mixed(mixed(seed) + resample);
  return (draw) => Math.floor((mixed(start + draw) / 2 ** 32) * rows);
}

/** The 95 % percentile interval of numbers that were each computed from one resample (Efron 1979). Sorts them in place. */
export function percentileInterval(numbers: Float64Array): Interval {
  numbers.sort();
  const at = (share: number) => numbers[Math.round(share * (numbers.length - 1))] ?? Number.NaN;
  return { low: at(outside), high: at(1 - outside) };
}

/** A one-to-one map of 32 bits: the finalizer of MurmurHash3 (Austin Appleby, public domain). */
function mixed(value: number): number {
  let bits = value >>> 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
