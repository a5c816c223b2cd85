/** What a set of generated texts says about the loop that made them. */
import { mean } from "./record-arithmetic.ts";

export interface GenerationRun {
  readonly newTokens: number;
  readonly endedByEos: boolean;
}

export interface GenerationStatistics {
  /** New tokens made, as a share of those asked for: 0 for a loop that never ran. */
  readonly completionRate: number;
  /** Share of the texts that the model itself ended. */
  readonly eosRate: number;
  readonly meanNewTokens: number;
}

/** @param maxNewTokens asked for, of each   @returns undefined when nothing was generated or asked for */
export function generationStatistics(
  runs: readonly GenerationRun[],
  maxNewTokens: number,
): GenerationStatistics | undefined {
  const meanNewTokens = mean(runs.map(({ newTokens }) => newTokens));
  const eosRate = mean(runs.map(({ endedByEos }) => Number(endedByEos)));
  if (meanNewTokens === undefined || eosRate === undefined || maxNewTokens === 0) return undefined;
  return { completionRate: meanNewTokens / maxNewTokens, eosRate, meanNewTokens };
}
