/** How training went. Micro-steps, optimizer steps and epochs are three different counts and are named apart. */
import { create } from "@bufbuild/protobuf";
import { type AttemptStarted, type Training, type TrainingSummary, TrainingSummarySchema } from "@pretrain/proto";
import type { Step } from "./history.ts";
import { present } from "./present.ts";
import type { RunSteps } from "./run-steps.ts";

export interface TrainingFacts {
  readonly steps: RunSteps;
  /** The attempt that the run ended in. */
  readonly attempt: AttemptStarted | undefined;
  /** As the recipe says. */
  readonly training: Training | undefined;
}

export function trainingSummary({ steps, attempt, training }: TrainingFacts): TrainingSummary {
  const { ends, losses, epochs, gradients } = steps;
  const tail = steps.tail.summary();
  return create(TrainingSummarySchema, {
    microSteps: BigInt(ends.count),
    optimizerSteps: BigInt((ends.last?.optimizerStep ?? 0) - optimizerStepsBefore(ends.first)),
    epochs: epochs.summaries(),
    clippedSteps: BigInt(gradients.clippedSteps),
    tokensSeen: BigInt(ends.last?.tokensSeen ?? 0),
    parameters: attempt?.parameters ?? 0n,
    tailMicroSteps: BigInt(tail.microSteps),
    ...present({
      firstLoss: losses.first?.loss,
      lastLoss: losses.last?.loss,
      reduction: losses.reduction(),
      largestGradientNorm: gradients.largest?.norm,
      largestGradientMicroStep: microStep(gradients.largest?.microStep),
      lastLearningRate: ends.last?.learningRate,
      learningRateAfterLast: learningRateAfterLast(training, ends.last?.optimizerStep, attempt),
      largestRise: losses.largestRise?.rise,
      largestRiseMicroStep: microStep(losses.largestRise?.step.microStep),
      tailLoss: tail.loss,
      tailDeviation: tail.deviation,
      tailSlope: tail.slope,
    }),
  });
}

/** A fork's counters go on from its parent's; these steps are not its own. */
function optimizerStepsBefore(first: Step | undefined): number {
  return first === undefined ? 0 : first.optimizerStep - Number(first.gradientNorm !== null);
}

function microStep(value: number | undefined): bigint | undefined {
  return value === undefined ? undefined : BigInt(value);
}

/** Both schedules are known at their end: the cosine has come down to zero, the constant one stays. Undefined before the end. */
function learningRateAfterLast(
  training: Training | undefined,
  optimizerSteps: number | undefined,
  attempt: AttemptStarted | undefined,
): number | undefined {
  if (attempt === undefined || optimizerSteps !== Number(attempt.totalOptimizerSteps)) return undefined;
  return training?.schedule === "constant" ? training.learningRate : 0;
}
