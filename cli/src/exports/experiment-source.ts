/** What an export is made of, asked of the report service piece by piece: a long run is never held in memory. */
import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { Report, ReportService, StepMetric } from "@pretrain/proto";
import { idOfExperimentName } from "@pretrain/recipe";
import type { PretrainClient } from "@pretrain/rpc";
import { samplesOf } from "./sampled-curves.ts";

export type Reports = Pick<PretrainClient<typeof ReportService>, "getReport" | "readSteps" | "queryMetrics">;

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

/** Steps and samples in one order. @throws Aborted when an attempt has meanwhile replaced steps that were read already */
async function* microStepsOf(
  reports: Reports,
  experiment: string,
  report: Report,
  signal: AbortSignal,
): AsyncGenerator<MicroStep> {
  await using steps = stepsOf(reports, experiment, signal);
  await using samples = samplesOf(reports, experiment, report.recipe, signal);
  let timeMs = report.moments?.created === undefined ? 0 : timestampMs(report.moments.created);
  let [step, sample] = [await nextOf(steps), await nextOf(samples)];
  while (step !== undefined || sample !== undefined) {
    const isStep = step !== undefined && !(sample !== undefined && sample.microStep < step.microStep);
    const isSample = sample !== undefined && !(step !== undefined && step.microStep < sample.microStep);
    const microStep = (isStep ? step?.microStep : sample?.microStep) ?? 0n;
    if (isStep && step?.time !== undefined) timeMs = timestampMs(step.time);
    const [ownStep, sampled] = [isStep ? step : undefined, isSample ? sample?.values : undefined];
    yield { microStep, step: ownStep, sampled: sampled ?? new Map(), timeMs };
    if (isStep) step = await nextOf(steps);
    if (isSample) sample = await nextOf(samples);
  }
}

async function nextOf<Item>(items: AsyncGenerator<Item>): Promise<Item | undefined> {
  const { done, value } = await items.next();
  return done ? undefined : value;
}

async function* stepsOf(reports: Reports, experiment: string, signal: AbortSignal): AsyncGenerator<StepMetric> {
  for await (const { steps } of reports.readSteps({ experiment }, { signal })) yield* steps;
}
