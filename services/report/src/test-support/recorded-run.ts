/** Test support: experiment 1.4.0 as its record tells it, 173,385 micro-steps and all, made of the record's own numbers. */
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  AttemptStartedSchema,
  CheckpointWrittenSchema,
  Evaluation_State,
  EvaluationEndedSchema,
  Experiment_State,
  RecipeSchema,
  StateChangedSchema,
} from "@pretrain/proto";
import { completeRecipe } from "@pretrain/recipe";
import type { History, Step } from "../record/history.ts";

/** `record_arithmetic.json`, as far as it is needed here. */
export interface RecordArithmetic {
  readonly perplexity: readonly { readonly loss: number; readonly ppl: number }[];
  readonly reduction_percent: readonly { readonly from: number; readonly to: number; readonly percent: number }[];
  readonly wall_time: { readonly seconds: number };
  readonly steps: {
    readonly per_epoch: number;
    readonly epochs: number;
    readonly total: number;
    readonly optimizer_steps_counted_over_the_run: number;
    readonly tokens_per_micro_step: number;
    readonly tokens_per_second_at_241_65_ms?: number;
  };
}

export const firstLoss = 8.9431;
export const bestLoss = 2.3688;
export const lastLoss = 2.4323;
export const inferenceLoss = 2.26;
/** 23:54:41 and the moments after it, of 30 and 31 July 2025 in China. */
export const started = Date.UTC(2025, 6, 30, 15, 54, 41);
export const trainingStarted = Date.UTC(2025, 6, 30, 15, 55, 28);
export const ended = Date.UTC(2025, 6, 31, 3, 38, 43);
const created = Date.UTC(2025, 6, 30, 7, 30, 0);
const stepMs = 241.65;
const experiment = "experiments/1-4-0";

export function recordedRun({ steps, wall_time }: RecordArithmetic): History {
  return {
    experiment,
    transitions: transitions(),
    otherBeginnings: [],
    attempts: [attempt(steps)],
    phases: [],
    datasets: [],
    annotations: [],
    checkpoints: [checkpoint(steps.total)],
    removals: [],
    evaluations: [evaluation(steps.total)],
    memory: [],
    log: [],
    contradictions: [],
    resumptions: [],
    strangers: [],
    repetitions: { microSteps: 0, equal: 0 },
    steps: recordedSteps(steps, wall_time.seconds),
  };
}

function* recordedSteps(
  { total, per_epoch, tokens_per_micro_step }: RecordArithmetic["steps"],
  seconds: number,
): Generator<Step> {
  const pace = (seconds * 1000 - stepMs) / (total - 1);
  for (let microStep = 1; microStep <= total; microStep++) {
    yield {
      attempt: 1,
      microStep,
      optimizerStep: Math.floor(microStep / 8),
      epoch: Math.ceil(microStep / per_epoch),
      timeMs: trainingStarted + stepMs + (microStep - 1) * pace,
      lossNats: lossOf(microStep, total) * tokens_per_micro_step,
      lossTokens: tokens_per_micro_step,
      learningRate: 1e-4 * (1 + Math.cos((Math.PI * Math.floor((microStep - 1) / 8)) / Math.floor(total / 8))),
      gradientNorm: microStep % 8 === 0 ? 0.5 : null,
      clipScale: microStep % 8 === 0 ? 1 : null,
      tokensSeen: microStep * tokens_per_micro_step,
      tokens: tokens_per_micro_step,
      positions: tokens_per_micro_step,
      dataMs: 0.03,
      forwardBackwardMs: 74.05 + 166.43,
      optimizerMs: 0,
      otherMs: stepMs - 0.03 - 74.05 - 166.43,
      totalMs: stepMs,
    };
  }
}

function lossOf(microStep: number, total: number): number {
  if (microStep === 1) return firstLoss;
  if (microStep === total) return lastLoss;
  if (microStep === total - 1000) return bestLoss;
  return 2.45 + 6 / microStep;
}

function transitions() {
  const recipe = completeRecipe(
    create(RecipeSchema, {
      data: { path: "merged_pretrain.jsonl" },
      predictions: [
        { metric: "train/loss", low: 1.5, high: 2 },
        { metric: "train/duration_seconds", low: 4 * 3600, high: 6 * 3600 },
      ],
      targets: [
        { metric: "train/loss", comparison: "<", value: 3 },
        { metric: "train/perplexity", comparison: "<", value: 20 },
        { metric: "eval/inference_loss", comparison: "<", value: 3, excellent: 2.5 },
        { metric: "train/duration_seconds", comparison: "<", value: 15 * 3600 },
      ],
    }),
  );
  const path = [
    [created, Experiment_State.QUEUED],
    [started, Experiment_State.PREPARING],
    [trainingStarted, Experiment_State.RUNNING],
    [ended, Experiment_State.COMPLETED],
  ] as const;
  return path.map(([timeMs, to], index) =>
    create(StateChangedSchema, {
      experiment,
      sequence: index + 1,
      time: timestampFromMs(timeMs),
      to,
      ...(index === 0 && { recipe, title: "1.4.0" }),
    }),
  );
}

function attempt({ total, per_epoch, optimizer_steps_counted_over_the_run }: RecordArithmetic["steps"]) {
  return create(AttemptStartedSchema, {
    experiment,
    attempt: 1,
    time: timestampFromMs(started),
    processId: 8666,
    parameters: 25_829_888n,
    totalMicroSteps: BigInt(total),
    microStepsPerEpoch: BigInt(per_epoch),
    totalOptimizerSteps: BigInt(optimizer_steps_counted_over_the_run),
  });
}

function checkpoint(total: number) {
  const name = `${experiment}/checkpoints/${total}`;
  const written = { name, microStep: BigInt(total), epoch: 3, attempt: 1, final: true };
  return create(CheckpointWrittenSchema, { experiment, attempt: 1, time: timestampFromMs(ended), checkpoint: written });
}

function evaluation(total: number) {
  const loss = { nats: inferenceLoss * 1000, tokens: 1000n };
  const settings = { samples: 10, inputLength: 100, predictLength: 100, batchRows: 8 };
  const checkpointName = `${experiment}/checkpoints/${total}`;
  return create(EvaluationEndedSchema, {
    experiment,
    time: timestampFromMs(ended),
    evaluation: {
      name: "evaluations/1-4-0",
      state: Evaluation_State.SUCCEEDED,
      checkpoint: checkpointName,
      microStep: BigInt(total),
      settings,
      inferenceLoss: loss,
    },
  });
}
