/** From rounds to what is printed: results, ratios, or the reason why there is none. */
import { disagreement } from "./agreement.ts";
import { type Limit, limitOf } from "./machine-limit.ts";
import { type Measured, type Measurement, titled } from "./measure.ts";
import type { Precision } from "./protocol.ts";
import { tokensPerSecond } from "./statistics.ts";

export interface Result {
  readonly name: string;
  readonly side: "ours" | "peer";
  readonly precision: Precision;
  readonly version: string;
  readonly tokens_per_second_best: number;
  readonly tokens_per_second_median: number;
  readonly peak_rss_mib: number;
  /** Of the peak, what program and libraries had taken before any work. */
  readonly loaded_rss_mib: number;
}

/** Of the contenders of one precision, or of all. Null where nothing can be compared. */
export interface Comparison {
  /** Median of our fastest by that of the fastest peer. */
  readonly ratio: number | null;
  /** Peak memory of our fastest by that of the most frugal peer. */
  readonly memory_ratio: number | null;
  /** What our fastest does of what the machine's best could: needed work of its tokens by the measured limit. */
  readonly limit_share: number | null;
}

export interface Summary extends Comparison {
  readonly results: readonly Result[];
  readonly by_precision: Readonly<Partial<Record<Precision, Comparison & { readonly limit: Limit | null }>>>;
  /** Why there are no ratios: contenders that compute different numbers, or a peer that did not run. */
  readonly refused: string | null;
  readonly foreign_load: number;
}

const noComparison: Comparison = { ratio: null, memory_ratio: null, limit_share: null };

/** @param gigaPerToken work that a token needs, in the unit of the limit, in 1e9 */
export function summary(
  { measured, failed, foreignLoad }: Measurement,
  gigaPerToken: (precision: Precision) => number,
): Summary {
  const contenders = measured.filter(({ entrant }) => entrant.side !== "machine");
  const results = contenders.map(resultOf);
  const [broken] = failed;
  const refused =
    broken === undefined
      ? (disagreement(contenders.map(({ entrant, ready, rounds }) => ({ ...entrant, ready, rounds }))) ?? null)
      : `${titled(broken.entrant)} did not run`;
  const precisions = [...new Set(results.map(({ precision }) => precision))];
  const parts = precisions.map((precision) => {
    const limit = limitOf(machinesOf(measured, precision)) ?? null;
    const share = limit === null ? undefined : gigaPerToken(precision) / limit.gigaPerSecond;
    const own = results.filter((result) => result.precision === precision);
    return [precision, { ...(refused === null ? comparison(own, share) : noComparison), limit }] as const;
  });
  return {
    results,
    ...(refused === null
      ? overall(
          results,
          parts.map(([, part]) => part),
        )
      : noComparison),
    by_precision: Object.fromEntries(parts),
    refused,
    foreign_load: rounded(foreignLoad),
  };
}

/** With one precision its own comparison, else the best of ours by the best of theirs; a share has no meaning across limits. */
function overall(results: readonly Result[], parts: readonly Comparison[]): Comparison {
  const [only, another] = parts;
  return another === undefined && only !== undefined
    ? { ratio: only.ratio, memory_ratio: only.memory_ratio, limit_share: only.limit_share }
    : comparison(results, undefined);
}

function comparison(results: readonly Result[], shareOfOneTokenPerSecond: number | undefined): Comparison {
  const ours = fastest(results.filter(({ side }) => side === "ours"));
  const peers = results.filter(({ side }) => side === "peer");
  const peer = fastest(peers);
  if (ours === undefined) return noComparison;
  const leastMemory = Math.min(...peers.map(({ peak_rss_mib: peak }) => peak));
  const speed = ours.tokens_per_second_median;
  return {
    ratio: peer === undefined ? null : rounded(speed / peer.tokens_per_second_median),
    memory_ratio: peer === undefined ? null : rounded(ours.peak_rss_mib / leastMemory),
    limit_share: shareOfOneTokenPerSecond === undefined ? null : rounded(speed * shareOfOneTokenPerSecond),
  };
}

function fastest(results: readonly Result[]): Result | undefined {
  return results.toSorted((a, b) => b.tokens_per_second_median - a.tokens_per_second_median)[0];
}

function machinesOf(measured: readonly Measured[], precision: Precision) {
  return measured
    .filter(({ entrant }) => entrant.side === "machine" && entrant.precision === precision)
    .map(({ entrant, rounds }) => ({ name: entrant.name, rounds }));
}

function resultOf({ entrant, ready, rounds, peakRssMib }: Measured): Result {
  const { best, median } = tokensPerSecond(rounds);
  return {
    name: entrant.name,
    side: entrant.side === "ours" ? "ours" : "peer",
    precision: entrant.precision,
    version: ready.version,
    tokens_per_second_best: rounded(best),
    tokens_per_second_median: rounded(median),
    peak_rss_mib: Math.round(peakRssMib),
    loaded_rss_mib: Math.round(ready.loaded_rss_mib),
  };
}

/** To four significant digits: more would be noise. */
function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
