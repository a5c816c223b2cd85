/** The value of every metric of the table in @pretrain/recipe, each with what it was computed over. */
import { perplexity } from "@pretrain/measures";
import { evaluationMeasurements } from "./evaluation-measurements.ts";
import type { LossAt } from "./loss-extremes.ts";
import type { MeasuredRun, Measurement } from "./measurement.ts";
import type { RunSteps } from "./run-steps.ts";
import { lossTotalOf } from "./step-reader.ts";
import { counted } from "./wording.ts";

export function measurements(run: MeasuredRun): ReadonlyMap<string, Measurement> {
  return new Map(
    Object.entries({ ...lossMeasurements(run.steps), ...trainingMeasurements(run), ...evaluationMeasurements(run) }),
  );
}

function lossMeasurements({ losses, ends }: RunSteps): Record<string, Measurement> {
  const { first, last, best } = losses;
  const lastBasis = last
    ? `micro-step ${counted(last.step.microStep)}, ${counted(last.step.lossTokens)} targets`
    : "no micro-step";
  const overAll = `${counted(ends.count)} micro-steps`;
  const betweenEnds =
    first && last
      ? `micro-steps ${counted(first.step.microStep)} and ${counted(last.step.microStep)}`
      : "no micro-step";
  const bestLoss = bestAt(best, best?.loss);
  const bestPerplexity = bestAt(best, best && perplexity(lossTotalOf(best.step)));
  const source = "training";
  return {
    "train/loss": { final: last?.loss, best: bestLoss, basis: lastBasis, source },
    "train/best_loss": { final: best?.loss, best: bestLoss, basis: overAll, source },
    "train/perplexity": {
      final: last && perplexity(lossTotalOf(last.step)),
      best: bestPerplexity,
      basis: `exp of the loss of ${lastBasis}`,
      source,
    },
    "train/loss_reduction": { final: losses.reduction(), basis: betweenEnds, source },
  };
}

function bestAt(best: LossAt | undefined, value: number | undefined): Measurement["best"] {
  return best && value !== undefined ? { value, microStep: best.step.microStep, epoch: best.step.epoch } : undefined;
}

function trainingMeasurements({ steps, memory, time }: MeasuredRun): Record<string, Measurement> {
  const { ends, gradients, times } = steps;
  const overAll = `${counted(ends.count)} micro-steps`;
  const ofOptimizer = `${counted(gradients.optimizerSteps)} optimizer steps`;
  const mean = time.meanStep;
  const source = "training";
  return {
    "train/grad_norm_max": { final: gradients.largest?.norm, basis: ofOptimizer, source },
    "train/lr": {
      final: ends.last?.learningRate,
      basis: `optimizer step of micro-step ${counted(ends.last?.microStep ?? 0)}`,
      source,
    },
    "train/tokens": { final: ends.last?.tokensSeen, basis: overAll, source },
    "train/duration_seconds": { final: time.trainingSeconds, basis: "first step's begin to last step's end", source },
    "memory/peak_rss_bytes": {
      final: memory.peakRssBytes === undefined ? undefined : Number(memory.peakRssBytes),
      basis: `${counted(Number(memory.samples))} samples, right after micro-steps; the operating system's own peak`,
      source,
    },
    "perf/tokens_per_second": {
      final: time.tokensPerSecond,
      basis: `${counted(times.tokens)} real tokens of ${overAll}`,
      source,
    },
    "perf/step_seconds": { final: mean && mean.totalMs / 1000, basis: overAll, source },
    "perf/data_wait_seconds": { final: mean && mean.dataMs / 1000, basis: overAll, source },
  };
}
