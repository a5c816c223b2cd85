/**
 * The curves that have a value only now and then, every value at full resolution. QueryMetrics gives buckets, and each says how many
 * values it holds: a range is asked for so narrowly that none holds two.
 */
import type { Recipe, Series } from "@pretrain/proto";
import type { Reports } from "./experiment-source.ts";
import { evaluationMetrics, memoryMetrics } from "./metric-values.ts";

/** What was measured behind a micro-step. */
export interface SampledValues {
  readonly microStep: bigint;
  /** By name of the curve. */
  readonly values: ReadonlyMap<string, number>;
}

/** What one answer may hold of each curve, and of all curves together. */
const mostBucketsOfCurve = 10_000;
const mostBuckets = 50_000;

/** Ascending. */
export async function* samplesOf(
  reports: Reports,
  experiment: string,
  recipe: Recipe | undefined,
  signal: AbortSignal,
): AsyncGenerator<SampledValues> {
  const last = await lastSampled(reports, experiment, signal);
  if (last === 0n) return;
  const curves = { reports, experiment, signal };
  const evaluated = await valuesIn(curves, evaluationMetrics, 1n, last);
  // as wide as gives each memory sample a bucket of its own: one answer for many steps
  const width = BigInt(mostBucketsOfCurve * (recipe?.monitoring?.memoryMonitorInterval || 1));
  for (let from = 1n; from <= last; from += width) {
    const to = from + width - 1n;
    const values = await valuesIn(curves, memoryMetrics, from, to < last ? to : last);
    for (const [microStep, ofIt] of evaluated)
      if (microStep >= from && microStep <= to)
        values.set(microStep, new Map([...(values.get(microStep) ?? []), ...ofIt]));
    const ascending = [...values].sort(([a], [b]) => Number(a - b));
    for (const [microStep, ofIt] of ascending) yield { microStep, values: ofIt };
  }
}

/** Micro-step of the last value; 0: there is none. */
async function lastSampled(reports: Reports, experiment: string, signal: AbortSignal): Promise<bigint> {
  const metrics = [...memoryMetrics, ...evaluationMetrics];
  const { series } = await reports.queryMetrics({ experiment, metrics, maxPoints: 1 }, { signal });
  const ends = series.map(({ buckets }) => buckets.at(-1)?.lastMicroStep ?? 0n);
  return ends.reduce((latest, end) => (end > latest ? end : latest), 0n);
}

interface Curves {
  readonly reports: Reports;
  readonly experiment: string;
  readonly signal: AbortSignal;
}

async function valuesIn(
  curves: Curves,
  metrics: readonly string[],
  fromMicroStep: bigint,
  toMicroStep: bigint,
): Promise<Map<bigint, Map<string, number>>> {
  const { reports, experiment, signal } = curves;
  const maxPoints = Math.min(mostBucketsOfCurve, Math.floor(mostBuckets / metrics.length));
  const request = { experiment, metrics: [...metrics], fromMicroStep, toMicroStep, maxPoints };
  const { series } = await reports.queryMetrics(request, { signal });
  if (series.every(isWhole)) return valuesByMicroStep(series);
  const middle = (fromMicroStep + toMicroStep) / 2n;
  const halves = [
    await valuesIn(curves, metrics, fromMicroStep, middle),
    await valuesIn(curves, metrics, middle + 1n, toMicroStep),
  ];
  return new Map(halves.flatMap((half) => [...half]));
}

function isWhole({ buckets }: Series): boolean {
  return buckets.every(({ count }) => count === 1n);
}

function valuesByMicroStep(series: readonly Series[]): Map<bigint, Map<string, number>> {
  const found = new Map<bigint, Map<string, number>>();
  for (const { metric, buckets } of series) {
    for (const { lastMicroStep, last } of buckets) {
      const values = found.get(lastMicroStep) ?? new Map<string, number>();
      found.set(lastMicroStep, values.set(metric, last));
    }
  }
  return found;
}
