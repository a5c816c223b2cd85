/** The value of every metric of the table in @pretrain/recipe, each with what it was computed over. */
import { perplexity } from "@pretrain/measures";
import { Basis_Over as Over } from "@pretrain/proto";
import { evaluationMeasurements } from "./evaluation-measurements.ts";
import type { LossAt } from "./loss-extremes.ts";
import type { MeasuredRun, Measurement } from "./measurement.ts";
import type { RunSteps } from "./run-steps.ts";
import { qualityMetric } from "./scores.ts";
import { lossTotalOf } from "./step-reader.ts";

export function measurements(run: MeasuredRun): ReadonlyMap<string, Measurement> {
  return new Map(
    Object.entries({
      ...lossMeasurements(run.steps),
      ...trainingMeasurements(run),
      ...evaluationMeasurements(run),
      [qualityMetric]: qualityMeasurement(run),
    }),
  );
}

/** What people, rules or models think of the text; it can be judged when the evaluation that shows the text can. */
function qualityMeasurement({ quality }: MeasuredRun): Measurement {
  const basis = quality === undefined ? {} : { over: Over.ASPECTS, count: BigInt(quality.count) };
  return { final: quality?.mean, basis, source: "evaluation" };
}

function lossMeasurements({ losses, ends }: RunSteps): Record<string, Measurement> {
  const { first, last, best } = losses;
  const ofLast = last && { microStep: BigInt(last.step.microStep), tokens: BigInt(last.step.lossTokens) };
  const overAll = { over: Over.MICRO_STEPS, count: BigInt(ends.count) };
  const betweenEnds = first &&
    last && {
      over: Over.TWO_MICRO_STEPS,
      microStep: BigInt(first.step.microStep),
      secondMicroStep: BigInt(last.step.microStep),
    };
  const bestLoss = bestAt(best, best?.loss);
  const bestPerplexity = bestAt(best, best && perplexity(lossTotalOf(best.step)));
  const source = "training";
  return {
    "train/loss": {
      final: last?.loss,
      best: bestLoss,
      basis: { ...ofLast, over: ofLast ? Over.MICRO_STEP : Over.UNSPECIFIED },
      source,
    },
    "train/best_loss": { final: best?.loss, best: bestLoss, basis: overAll, source },
    "train/perplexity": {
      final: last && perplexity(lossTotalOf(last.step)),
      best: bestPerplexity,
      basis: { ...ofLast, over: ofLast ? Over.EXP_OF_MICRO_STEP : Over.UNSPECIFIED },
      source,
    },
    "train/loss_reduction": { final: losses.reduction(), basis: betweenEnds ?? {}, source },
  };
}

function bestAt(best: LossAt | undefined, value: number | undefined): Measurement["best"] {
  return best && value !== undefined ? { value, microStep: best.step.microStep, epoch: best.step.epoch } : undefined;
}

function trainingMeasurements({ steps, memory, time }: MeasuredRun): Record<string, Measurement> {
  const { ends, gradients, times } = steps;
  const overAll = { over: Over.MICRO_STEPS, count: BigInt(ends.count) };
  const ofOptimizer = { over: Over.OPTIMIZER_STEPS, count: BigInt(gradients.optimizerSteps) };
  const mean = time.meanStep;
  const source = "training";
  return {
    "train/grad_norm_max": { final: gradients.largest?.norm, basis: ofOptimizer, source },
    "train/lr": {
      final: ends.last?.learningRate,
      basis: { over: Over.OPTIMIZER_STEP, microStep: BigInt(ends.last?.microStep ?? 0) },
      source,
    },
    "train/tokens": { final: ends.last?.tokensSeen, basis: overAll, source },
    "train/duration_seconds": { final: time.trainingSeconds, basis: { over: Over.TRAINING_TIME }, source },
    "memory/peak_rss_bytes": {
      final: memory.peakRssBytes === undefined ? undefined : Number(memory.peakRssBytes),
      basis: { over: Over.MEMORY_SAMPLES, count: memory.samples },
      source,
    },
    "memory/peak_reserved_bytes": {
      final: memory.peakReservedBytes === undefined ? undefined : Number(memory.peakReservedBytes),
      basis: { over: Over.ALLOCATOR_SAMPLES, count: memory.samples },
      source,
    },
    "perf/tokens_per_second": {
      final: time.tokensPerSecond,
      basis: { over: Over.REAL_TOKENS, tokens: BigInt(times.tokens), count: BigInt(ends.count) },
      source,
    },
    "perf/step_seconds": { final: mean && mean.totalMs / 1000, basis: overAll, source },
    "perf/data_wait_seconds": { final: mean && mean.dataMs / 1000, basis: overAll, source },
  };
}
