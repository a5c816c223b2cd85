/** The table of key indicators: values beside targets and verdicts. */
import { create } from "@bufbuild/protobuf";
import {
  type Indicator,
  IndicatorSchema,
  IntervalSchema,
  type Recipe,
  type Target,
  TargetSchema,
  Verdict,
} from "@pretrain/proto";
import { metricNamed } from "@pretrain/recipe";
import type { Measurement } from "./measurement.ts";
import { present } from "./present.ts";
import { qualityMetric } from "./scores.ts";
import { verdict } from "./verdicts.ts";

/** Which numbers are final. A number that may still move meets no target and misses none. */
export interface Settled {
  readonly training: boolean;
  readonly evaluation: boolean;
}

/** Rows that every record has, in this order; further metrics follow where the recipe has a target for them. */
const keyMetrics = [
  "train/loss",
  "train/perplexity",
  "train/loss_reduction",
  "eval/loss",
  "eval/perplexity",
  "eval/bits_per_byte",
  "eval/top1_accuracy",
  "eval/calibration_error",
  "eval/inference_loss",
  "eval/train_inference_gap",
  "train/lr",
  "train/grad_norm_max",
  "train/duration_seconds",
  "perf/tokens_per_second",
  "memory/peak_rss_bytes",
];

const furtherMetrics = [qualityMetric, "memory/peak_reserved_bytes"];

const gapMetric = "eval/train_inference_gap";

export class Judge {
  readonly #measurements: ReadonlyMap<string, Measurement>;
  readonly #settled: Settled;

  constructor(measurements: ReadonlyMap<string, Measurement>, settled: Settled) {
    this.#measurements = measurements;
    this.#settled = settled;
  }

  /** A row for each key metric and each target, a metric's targets in the recipe's order. */
  indicators(recipe: Recipe | undefined): Indicator[] {
    const targets = [...(recipe?.targets ?? []), ...this.#gapTarget(recipe)];
    const names = [...new Set([...keyMetrics, ...this.#furtherMetrics(), ...targets.map(({ metric }) => metric)])];
    return names.flatMap((name) => {
      const own = targets.filter(({ metric }) => metric === name);
      return own.length === 0 ? [this.indicator(name)] : own.map((target) => this.indicator(name, target));
    });
  }

  /** Rows that only some records have: what somebody must have judged, and what only some devices tell. */
  #furtherMetrics(): string[] {
    return furtherMetrics.filter((name) => this.#measurements.get(name)?.final !== undefined);
  }

  /** The bound of the evaluation plan, below which training and inference loss count as consistent; none without samples. */
  #gapTarget(recipe: Recipe | undefined): Target[] {
    const value = recipe?.evaluation?.consistentGap;
    const hasNoSamples = this.#settled.evaluation && this.settledValue(gapMetric) === undefined;
    if (value === undefined || hasNoSamples || recipe?.targets.some(({ metric }) => metric === gapMetric)) return [];
    return [create(TargetSchema, { metric: gapMetric, comparison: "<=", value })];
  }

  indicator(metric: string, target?: Target): Indicator {
    const measurement = this.#measurements.get(metric);
    return create(IndicatorSchema, {
      metric,
      unit: metricNamed(metric)?.unit ?? "",
      basis: measurement?.basis ?? {},
      verdict: target === undefined ? Verdict.UNSPECIFIED : verdict(this.settledValue(metric), target),
      ...present({
        final: measurement?.final,
        best: measurement?.best?.value,
        bestMicroStep: measurement?.best && BigInt(measurement.best.microStep),
        bestEpoch: measurement?.best?.epoch,
        interval: measurement?.interval && create(IntervalSchema, measurement.interval),
        target,
      }),
    });
  }

  /** The value that can be judged; undefined while it may still change. */
  settledValue(metric: string): number | undefined {
    const measurement = this.#measurements.get(metric);
    return measurement !== undefined && this.#settled[measurement.source] ? measurement.final : undefined;
  }
}
