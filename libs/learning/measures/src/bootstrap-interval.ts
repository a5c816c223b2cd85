/** How far a mean might be off because it was measured on these rows and not on others like them. */
import { type LossTotal, meanNatsPerToken, totalLoss } from "./loss-total.ts";

/** In nats per token. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

const resamples = 1000;
const outside = 0.025; // on each side: the interval holds 95 of 100

/**
 * The 95 % percentile bootstrap interval of the mean loss per token (Efron 1979): rows, not tokens, are drawn with
 * replacement, since the tokens of a row are not independent. The same rows and seed give the same interval.
 *
 * @param rows the loss of each row   @param seed an unsigned 32-bit integer   @returns undefined when no row has a token
 */
export function bootstrapInterval(rows: readonly LossTotal[], seed: number): Interval | undefined {
  const counted = rows.filter(({ tokens }) => tokens > 0);
  if (counted.length === 0) return undefined;
  const means = Array.from({ length: resamples }, (_, index) => resampledMean(counted, seed, index));
  means.sort((a, b) => a - b);
  const at = (share: number) => means[Math.round(share * (resamples - 1))] ?? Number.NaN;
  return { low: at(outside), high: at(1 - outside) };
}

function resampledMean(rows: readonly LossTotal[], seed: number, resample: number): number {
  const drawn = rows.map((_, draw) => rows[drawnIndex(seed, resample, draw, rows.length)] ?? { nats: 0, tokens: 0 });
  return meanNatsPerToken(totalLoss(drawn)) ?? Number.NaN;
}

/** By counters, not by a generator with a state: which row is drawn depends on these numbers and nothing else. */
function drawnIndex(seed: number, resample: number, draw: number, length: number): number {
  const bits = mixed(mixed(mixed(seed) + resample) + draw);
  return Math.floor((bits / 2 ** 32) * length);
}

/** A one-to-one map of 32 bits: the finalizer of MurmurHash3 (Austin Appleby, public domain). */
function mixed(value: number): number {
  let bits = value >>> 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
