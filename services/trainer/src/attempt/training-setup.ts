/** From a recipe and its dataset to what the computing process is told. */
import type { SealedCheckpoint } from "@pretrain/checkpoint";
import type { LossRule } from "@pretrain/optim";
import type { CompleteRecipe } from "@pretrain/recipe";
import { modelShape } from "../experiment/model-shape.ts";
import { microStepsPerEpoch, type StepPlan, totals } from "../experiment/step-plan.ts";
import type { TrainingSetup } from "../worker/protocol.ts";
import type { AttemptIdentity } from "./attempt-events.ts";

export interface SetupFacts {
  readonly identity: AttemptIdentity;
  readonly recipe: CompleteRecipe;
  readonly recipeSha256: string;
  /** Id and digest of the dataset. */
  readonly dataset: string;
  readonly datasetSha256: string;
  readonly plan: StepPlan;
  readonly deviceBatchRows: number;
  readonly precision: TrainingSetup["precision"];
  readonly exactness: Readonly<Record<string, string>>;
  readonly resume: SealedCheckpoint | undefined;
  readonly imported: TrainingSetup["imported"];
}

export function stepPlan({ training }: CompleteRecipe, trainRows: number): StepPlan {
  return {
    epochs: training.epochs,
    microStepsPerEpoch: microStepsPerEpoch(trainRows, training.batchSize),
    accumulationSteps: training.accumulationSteps,
    lastAccumulation: oneOf("last_accumulation", training.lastAccumulation, ["carry", "step"]),
  };
}

export function trainingSetup({ identity, recipe, plan, ...facts }: SetupFacts): TrainingSetup {
  const { training, monitoring } = recipe;
  return {
    ...facts,
    experiment: identity.id,
    attempt: identity.attempt,
    attemptNonce: identity.nonce,
    plan,
    shape: modelShape(recipe.model),
    lossRule: oneOf<LossRule>("loss_rule", training.lossRule, ["micro_mean", "token_weighted"]),
    schedule: {
      kind: oneOf("schedule", training.schedule, ["cosine_to_zero", "constant"]),
      peak: training.learningRate,
      warmupSteps: training.warmupIters,
      totalSteps: totals(plan).optimizerSteps,
    },
    optimizer: {
      adamW: {
        beta1: training.beta1,
        beta2: training.beta2,
        epsilon: training.adamEps,
        weightDecay: training.weightDecay,
        decayOn: oneOf("decay_on", training.decayOn, ["matrices", "all"]),
      },
      maxGradientNorm: training.gradClip,
    },
    seed: training.seed,
    saveInterval: training.saveInterval,
    memoryInterval: monitoring.memoryMonitorInterval,
  };
}

/** A complete recipe holds only known words; a new one must be understood here before it can be trained. */
function oneOf<T extends string>(field: string, word: string, known: readonly T[]): T {
  const found = known.find((each) => each === word);
  if (found !== undefined) return found;
  throw new Error(`${field} ${word} is accepted in recipes and not known here`);
}
