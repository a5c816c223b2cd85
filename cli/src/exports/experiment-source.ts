/** What an export is made of, asked of the report service piece by piece: a long run is never held in memory. */
import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { Report, ReportService, StepMetric } from "@pretrain/proto";
import { idOfExperimentName } from "@pretrain/recipe";
import type { PretrainClient } from "@pretrain/rpc";
import { evaluationMetrics, memoryMetrics } from "./metric-values.ts";

type Reports = Pick<PretrainClient<typeof ReportService>, "getReport" | "readSteps" | "queryMetrics">;

/** One micro-step, with all that was measured at it. */
export interface MicroStep {
  readonly microStep: bigint;
  /** Absent where the ledger lacks the step and still has something that was sampled behind it. */
  readonly step: StepMetric | undefined;
  /** Values of curves that are sampled now and then, by name. */
  readonly sampled: ReadonlyMap<string, number>;
  /** When the step ended, in milliseconds since 1970; of one that is missing, when the one before it ended. */
  readonly timeMs: number;
}

export interface ExperimentSource {
  /** Canonical id. */
  readonly id: string;
  readonly report: Report;
  /** All accepted micro-steps, ascending. Each call reads them again. */
  microSteps(): AsyncIterable<MicroStep>;
}

const sampledMetrics = [...memoryMetrics, ...evaluationMetrics];
/** Micro-steps read at once: as many as give each of their values a bucket of its own in one answer of QueryMetrics. */
const windowMicroSteps = BigInt(Math.floor(50_000 / sampledMetrics.length));

/**
 * @param experiment `experiments/{experiment}`   @param signal ends the reading
 * @throws NotFound when the service knows no such experiment
 */
export async function experimentSource(
  reports: Reports,
  experiment: string,
  signal: AbortSignal,
): Promise<ExperimentSource> {
  const report = await reports.getReport({ name: `${experiment}/report` }, { signal });
  const id = idOfExperimentName(experiment, "experiment");
  return { id, report, microSteps: () => microStepsOf(reports, experiment, report, signal) };
}

async function* microStepsOf(
  reports: Reports,
  experiment: string,
  report: Report,
  signal: AbortSignal,
): AsyncGenerator<MicroStep> {
  let timeMs = report.moments?.created === undefined ? 0 : timestampMs(report.moments.created);
  for await (const { from, to, steps } of windowsOf(reports, experiment, signal)) {
    const range = { experiment, fromMicroStep: from, toMicroStep: to };
    const sampled = await sampledIn(reports, range, signal);
    const numbers = [...new Set([...steps.keys(), ...sampled.keys()])].sort((a, b) => Number(a - b));
    for (const microStep of numbers) {
      const step = steps.get(microStep);
      if (step?.time !== undefined) timeMs = timestampMs(step.time);
      yield { microStep, step, sampled: sampled.get(microStep) ?? new Map(), timeMs };
    }
  }
}

/** Neighbouring micro-steps that are looked at together. */
interface Window {
  readonly from: bigint;
  /** Inclusive. */
  readonly to: bigint;
  readonly steps: Map<bigint, StepMetric>;
}

/**
 * One after the other, without a gap, up to the last micro-step at which anything was measured.
 * @throws Aborted when an attempt has meanwhile replaced steps that were read already
 */
async function* windowsOf(reports: Reports, experiment: string, signal: AbortSignal): AsyncGenerator<Window> {
  const last = await lastMicroStep(reports, experiment, signal);
  let window = windowFrom(1n);
  for await (const { steps } of reports.readSteps({ experiment }, { signal })) {
    for (const step of steps) {
      for (; step.microStep > window.to; window = windowFrom(window.to + 1n)) yield window;
      window.steps.set(step.microStep, step);
    }
  }
  for (; ; window = windowFrom(window.to + 1n)) {
    yield window;
    if (window.to >= last) return;
  }
}

function windowFrom(from: bigint): Window {
  return { from, to: from + windowMicroSteps - 1n, steps: new Map() };
}

/** 0 when there is none. */
async function lastMicroStep(reports: Reports, experiment: string, signal: AbortSignal): Promise<bigint> {
  const metrics = ["train/tokens", ...sampledMetrics];
  const { series } = await reports.queryMetrics({ experiment, metrics, maxPoints: 1 }, { signal });
  const ends = series.map(({ buckets }) => buckets.at(-1)?.lastMicroStep ?? 0n);
  return ends.reduce((latest, end) => (end > latest ? end : latest), 0n);
}

interface Range {
  readonly experiment: string;
  readonly fromMicroStep: bigint;
  readonly toMicroStep: bigint;
}

async function sampledIn(
  reports: Reports,
  range: Range,
  signal: AbortSignal,
): Promise<Map<bigint, Map<string, number>>> {
  const maxPoints = Number(windowMicroSteps);
  const { series } = await reports.queryMetrics({ ...range, metrics: sampledMetrics, maxPoints }, { signal });
  const found = new Map<bigint, Map<string, number>>();
  for (const { metric, buckets } of series) {
    for (const { lastMicroStep: microStep, last } of buckets) {
      const values = found.get(microStep) ?? new Map<string, number>();
      found.set(microStep, values.set(metric, last));
    }
  }
  return found;
}
