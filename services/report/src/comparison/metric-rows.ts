/**
 * Metrics side by side, each with its difference to the baseline and what may be said of it. "Better" is said only where an interval
 * of the difference excludes 0; two single numbers show which one is lower and no more.
 */
import { create } from "@bufbuild/protobuf";
import {
  type Indicator,
  type Interval,
  type MetricRow,
  MetricRowSchema,
  MetricRow_Relation as Relation,
  type Report,
  type MetricRow_Value as Value,
  MetricRow_ValueSchema as ValueSchema,
} from "@pretrain/proto";
import { metricNamed } from "@pretrain/recipe";
import { present } from "../record/present.ts";
import type { Reasons } from "./incomparable.ts";

/** Of one candidate's validation loss, candidate less baseline, in nats per token. */
export interface PairedDifference {
  readonly difference: number;
  readonly interval: Interval | undefined;
}

export interface Candidate {
  readonly report: Report;
  readonly reasons: Reasons;
  /** Undefined: no comparison row by row was made. */
  readonly paired: PairedDifference | undefined;
}

/** In the order in which the records have them. */
export function metricRows(baseline: Report, candidates: readonly Candidate[]): MetricRow[] {
  const reports = [baseline, ...candidates.map(({ report }) => report)];
  const metrics = new Set(reports.flatMap(({ indicators }) => indicators.map(({ metric }) => metric)));
  return [...metrics].map((metric) => {
    const own = indicatorOf(baseline, metric);
    const first = create(ValueSchema, present({ indicator: own }));
    const others = candidates.map((candidate) => valueOf(metric, own, candidate));
    return create(MetricRowSchema, { metric, values: [first, ...others] });
  });
}

function indicatorOf({ indicators }: Report, metric: string): Indicator | undefined {
  return indicators.find((row) => row.metric === metric);
}

function valueOf(metric: string, baseline: Indicator | undefined, candidate: Candidate): Value {
  const indicator = indicatorOf(candidate.report, metric);
  const [before, after] = [baseline?.final, indicator?.final];
  if (before === undefined || after === undefined) return create(ValueSchema, present({ indicator }));
  const reasons = candidate.reasons[familyOf(metric)];
  if (reasons.length > 0) {
    const relation = Relation.NOT_COMPARABLE;
    return create(ValueSchema, { ...present({ indicator }), relation, reasons: [...reasons] });
  }
  const interval = metric === "eval/loss" ? candidate.paired?.interval : undefined;
  return create(ValueSchema, {
    ...present({ indicator, interval, differencePercent: percentOf(after - before, before) }),
    difference: after - before,
    relation: relationOf(metric, candidate.paired?.interval),
  });
}

/** Percent of the baseline's size. */
function percentOf(difference: number, baseline: number): number | undefined {
  return baseline === 0 ? undefined : (100 * difference) / Math.abs(baseline);
}

/** Perplexity is exp of the loss per token: it rises and falls with it, and so does what may be said of it. */
const ofValidationLoss: ReadonlySet<string> = new Set(["eval/loss", "eval/perplexity"]);

function relationOf(metric: string, interval: Interval | undefined): Relation {
  if (interval === undefined || !ofValidationLoss.has(metric)) return Relation.NO_INTERVAL;
  if (interval.high < 0) return Relation.BETTER;
  return interval.low > 0 ? Relation.WORSE : Relation.NO_DIFFERENCE_SHOWN;
}

const perText: ReadonlySet<string> = new Set(["eval/bits_per_byte", "eval/bits_per_character"]);
const overTargets: ReadonlySet<string> = new Set([
  "eval/loss",
  "eval/perplexity",
  "eval/top1_accuracy",
  "eval/calibration_error",
  "eval/train_overlap",
]);

/** Which reasons speak against a metric. */
function familyOf(metric: string): keyof Reasons {
  if (perText.has(metric)) return "text";
  if (overTargets.has(metric)) return "evaluation";
  if (metric.startsWith("eval/")) return "samples";
  const isOfMachine = /^(perf|memory)\//.test(metric) || metricNamed(metric)?.unit === "seconds";
  return isOfMachine ? "machine" : "training";
}
