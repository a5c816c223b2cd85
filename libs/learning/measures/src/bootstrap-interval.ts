/** How far a mean might be off because it was measured on these rows and not on others like them. */
import { type LossTotal, meanNatsPerToken, totalLoss } from "./loss-total.ts";
import { drawnRows, type Interval, percentileInterval, resamples } from "./resampling.ts";

/**
 * The 95 % percentile bootstrap interval of the mean loss per token (Efron 1979), in nats: rows, not tokens, are drawn with
 * replacement, since the tokens of a row are not independent. The same rows and seed give the same interval.
 *
 * @param rows the loss of each row   @param seed an unsigned 32-bit integer   @returns undefined when no row has a token
 */
export function bootstrapInterval(rows: readonly LossTotal[], seed: number): Interval | undefined {
  const counted = rows.filter(({ tokens }) => tokens > 0);
  if (counted.length === 0) return undefined;
  return percentileInterval(
    Float64Array.from({ length: resamples }, (_, index) => resampledMean(counted, seed, index)),
  );
}

function resampledMean(rows: readonly LossTotal[], seed: number, resample: number): number {
  const drawn = drawnRows(seed, resample, rows.length);
  const sample = rows.map((_, draw) => rows[drawn(draw)] ?? { nats: 0, tokens: 0 });
  return meanNatsPerToken(totalLoss(sample)) ?? Number.NaN;
}
