/** The one word about a whole run. */
import { type Indicator, Verdict } from "@pretrain/proto";

/** How many targets there are, and what became of them. */
export interface VerdictCounts {
  readonly targets: number;
  readonly met: number;
  readonly missed: number;
}

export function verdictCounts(indicators: readonly Indicator[]): VerdictCounts {
  const verdicts = indicators.filter(({ target }) => target !== undefined).map(({ verdict }) => verdict);
  const met = verdicts.filter((verdict) => verdict === Verdict.MET || verdict === Verdict.EXCELLENT).length;
  const missed = verdicts.filter((verdict) => verdict === Verdict.MISSED).length;
  return { targets: verdicts.length, met, missed };
}
