/** How far the difference of two models might be off because it was measured on these rows and not on others like them. */
import { drawnRows, type Interval, percentileInterval, resamples } from "./resampling.ts";

/** One row, scored by two models. */
export interface PairedLoss {
  readonly baselineNats: number;
  readonly candidateNats: number;
  /** Targets of the row, which are the same in both. */
  readonly tokens: number;
}

/**
 * The 95 % percentile bootstrap interval of the difference of two losses per token, candidate less baseline, in nats. A row is drawn
 * with both of its losses: what makes it hard for both models is in neither end of the interval, so a difference shows that two
 * intervals side by side would hide. Each resample is a difference of sums by a count of tokens, as the difference itself is.
 *
 * @param seed an unsigned 32-bit integer: the same pairs and seed give the same interval
 * @param turn awaited after each of the resamples, so that whoever shares the thread gets his turn
 * @returns undefined when no row has a token
 */
export async function pairedBootstrap(
  pairs: readonly PairedLoss[],
  seed: number,
  turn: () => Promise<void>,
): Promise<(Interval & { readonly resamples: number }) | undefined> {
  const counted = pairs.filter(({ tokens }) => tokens > 0);
  if (counted.length === 0) return undefined;
  const differences = Float64Array.from(counted, ({ baselineNats, candidateNats }) => candidateNats - baselineNats);
  const tokens = Float64Array.from(counted, (pair) => pair.tokens);
  const found = new Float64Array(resamples);
  for (let resample = 0; resample < resamples; resample += 1) {
    found[resample] = resampledDifference(differences, tokens, drawnRows(seed, resample, counted.length));
    await turn();
  }
  return { ...percentileInterval(found), resamples };
}

function resampledDifference(differences: Float64Array, tokens: Float64Array, drawn: (draw: number) => number): number {
  let nats = 0;
  let count = 0;
  for (let draw = 0; draw < differences.length; draw += 1) {
    const row = drawn(draw);
    nats += differences[row] ?? 0;
    count += tokens[row] ?? 0;
  }
  return nats / count;
}
