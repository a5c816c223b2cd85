/** Test support: the micro-steps of experiment 1.4.0: the losses that are recorded where they are recorded, a falling line between. */
import type { Step } from "../../record/history.ts";
import { seededNoise } from "../seeded-noise.ts";
import {
  bestLoss,
  earlyTimes,
  firstEpochLoss,
  firstLoss,
  lastLoss,
  meanTimes,
  type RecordArithmetic,
  secondEpochLoss,
  trainingStarted,
} from "./recorded-figures.ts";

/** As many as the record's early figures are over. */
const earlySteps = 10;

/** Gradient norms are not recorded, so there are none. */
export function* recordedSteps(
  { total, per_epoch, tokens_per_micro_step: tokens }: RecordArithmetic["steps"],
  seconds: number,
): Generator<Step> {
  const pace = (seconds * 1000 - earlyTimes.totalMs) / (total - 1);
  const noise = seededNoise(140);
  const late = lateTimes(total);
  const recorded = recordedLosses(total, per_epoch);
  for (let microStep = 1; microStep <= total; microStep++) {
    yield {
      attempt: 1,
      microStep,
      optimizerStep: Math.floor(microStep / 8),
      epoch: Math.ceil(microStep / per_epoch),
      timeMs: trainingStarted + earlyTimes.totalMs + (microStep - 1) * pace,
      lossNats: (recorded.get(microStep) ?? lineAt(microStep / per_epoch) + 0.03 * noise()) * tokens,
      lossTokens: tokens,
      learningRate: 1e-4 * (1 + Math.cos((Math.PI * Math.floor((microStep - 1) / 8)) / Math.floor(total / 8))),
      gradientNorm: null,
      clipScale: null,
      tokensSeen: microStep * tokens,
      tokens,
      positions: tokens,
      ...(microStep <= earlySteps ? stepTimes(earlyTimes) : late),
    };
  }
}

type Times = typeof meanTimes;

/** What is neither waiting nor forward nor backward is the remainder that the record does not name. */
function stepTimes({ dataMs, forwardMs, backwardMs, totalMs }: Times) {
  const forwardBackwardMs = forwardMs + backwardMs;
  return { dataMs, forwardBackwardMs, optimizerMs: 0, otherMs: totalMs - dataMs - forwardBackwardMs, totalMs };
}

/** So that the mean over all steps, the early ones included, is the one that is recorded. */
function lateTimes(total: number) {
  const late = (mean: number, early: number) => (mean * total - early * earlySteps) / (total - earlySteps);
  return stepTimes({
    dataMs: late(meanTimes.dataMs, earlyTimes.dataMs),
    forwardMs: late(meanTimes.forwardMs, earlyTimes.forwardMs),
    backwardMs: late(meanTimes.backwardMs, earlyTimes.backwardMs),
    totalMs: late(meanTimes.totalMs, earlyTimes.totalMs),
  });
}

/** By micro-step. Where the smallest one was is recorded by its epoch only. */
function recordedLosses(total: number, perEpoch: number): ReadonlyMap<number, number> {
  return new Map([
    [1, firstLoss],
    [perEpoch, firstEpochLoss],
    [2 * perEpoch, secondEpochLoss],
    [total - 1000, bestLoss],
    [total, lastLoss],
  ]);
}

/** The first epoch steepest at its beginning, the other two evenly. */
function lineAt(epochs: number): number {
  if (epochs > 2) return secondEpochLoss + (lastLoss - secondEpochLoss) * (epochs - 2);
  if (epochs > 1) return firstEpochLoss + (secondEpochLoss - firstEpochLoss) * (epochs - 1);
  const left = (1 / (1 + 40 * epochs) - 1 / 41) / (1 - 1 / 41);
  return firstEpochLoss + (firstLoss - firstEpochLoss) * left;
}
