/** Test support: experiment 1.4.0 as its record tells it, 173,385 micro-steps and all, made of the record's own numbers. */
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  AttemptStartedSchema,
  CheckpointWrittenSchema,
  Experiment_State,
  LogLine_Level,
  LogLineSchema,
  MemorySampleSchema,
  PhaseEndedSchema,
  StateChangedSchema,
} from "@pretrain/proto";
import { recipeSha256 } from "@pretrain/recipe";
import type { History } from "../record/history.ts";
import { recordedAnnotations } from "./recorded/recorded-annotations.ts";
import { recordedEvaluations } from "./recorded/recorded-evaluations.ts";
import * as figures from "./recorded/recorded-figures.ts";
import { recordedRecipe } from "./recorded/recorded-recipe.ts";
import { recordedSteps } from "./recorded/recorded-steps.ts";

export type { RecordArithmetic } from "./recorded/recorded-figures.ts";

const { experiment } = figures;

export function recordedRun({ steps, wall_time }: Pick<figures.RecordArithmetic, "steps" | "wall_time">): History {
  return {
    experiment,
    transitions: transitions(),
    otherBeginnings: [],
    attempts: [attempt(steps)],
    phases: phases(),
    datasets: [],
    annotations: recordedAnnotations(),
    checkpoints: [checkpoint(steps)],
    removals: [],
    evaluations: recordedEvaluations(steps.total),
    memory: [10, steps.total - 5].map(memorySample), // at tenth steps; between them nothing grew, the record says
    log: logLines(),
    contradictions: [],
    resumptions: [{ attempt: 1, resumedFrom: 0 }],
    strangers: [],
    repetitions: { microSteps: 0, equal: 0 },
    steps: recordedSteps(steps, wall_time.seconds),
  };
}

function transitions() {
  const recipe = recordedRecipe();
  const path = [
    [figures.created, Experiment_State.QUEUED],
    [figures.started, Experiment_State.PREPARING],
    [figures.trainingStarted, Experiment_State.RUNNING],
    [figures.ended, Experiment_State.COMPLETED],
  ] as const;
  return path.map(([timeMs, to], index) =>
    create(StateChangedSchema, {
      experiment,
      sequence: index + 1,
      time: timestampFromMs(timeMs),
      to,
      attempt: index === 0 ? 0 : 1,
      recipeSha256: recipeSha256(recipe),
      ...(index === 0 && { recipe, title: "1.4.0" }),
    }),
  );
}

function attempt({ total, per_epoch, optimizer_steps_counted_over_the_run }: figures.RecordArithmetic["steps"]) {
  return create(AttemptStartedSchema, {
    experiment,
    attempt: 1,
    time: timestampFromMs(figures.started),
    processId: 8666,
    environment: {
      operatingSystem: "Linux",
      device: "RTX 4090",
      deviceMemoryBytes: figures.memory.device,
      precision: "bfloat16",
      parallelStrategy: "DeepSpeed ZeRO 2",
    },
    parameters: 25_829_888n,
    totalMicroSteps: BigInt(total),
    microStepsPerEpoch: BigInt(per_epoch),
    totalOptimizerSteps: BigInt(optimizer_steps_counted_over_the_run),
    deviceBatchRows: 128,
  });
}

function phases() {
  const { started, environmentReady, dataReady, trainingStarted, trainingEnded } = figures;
  const path = [
    ["environment", started, environmentReady, "PyTorch 2.7.1+cu126, CUDA 12.6"],
    ["data", environmentReady, dataReady, "merged_pretrain.jsonl"],
    ["model", dataReady, trainingStarted, "model_original, 25.83M parameters"],
    ["training", trainingStarted, trainingEnded, "exit code 0"],
  ] as const;
  return path.map(([phase, startMs, endMs, note]) =>
    create(PhaseEndedSchema, {
      experiment,
      attempt: 1,
      phase,
      startTime: timestampFromMs(startMs),
      endTime: timestampFromMs(endMs),
      succeeded: true,
      note,
    }),
  );
}

function logLines() {
  const lines = [
    [LogLine_Level.WARNING, "the launcher chose defaults for what it was not told"],
    [LogLine_Level.INFO, "the tracker is connected, offline"],
  ] as const;
  return lines.map(([level, message], index) =>
    create(LogLineSchema, {
      experiment,
      attempt: 1,
      number: BigInt(index + 1),
      time: timestampFromMs(figures.environmentReady),
      level,
      message,
    }),
  );
}

function memorySample(microStep: number) {
  const { resident, allocated, reserved } = figures.memory;
  return create(MemorySampleSchema, {
    experiment,
    attempt: 1,
    microStep: BigInt(microStep),
    time: timestampFromMs(figures.trainingEnded),
    rssBytes: resident,
    peakRssBytes: resident,
    tensorBytes: allocated,
    reservedBytes: reserved,
  });
}

/** Every one was written under the same name, so that the last one is what is left. */
function checkpoint({ total, optimizer_steps_counted_over_the_run }: figures.RecordArithmetic["steps"]) {
  return create(CheckpointWrittenSchema, {
    experiment,
    attempt: 1,
    time: timestampFromMs(figures.trainingEnded),
    checkpoint: {
      name: `${experiment}/checkpoints/${total}`,
      microStep: BigInt(total),
      optimizerStep: BigInt(optimizer_steps_counted_over_the_run),
      epoch: 3,
      attempt: 1,
      final: true,
      createTime: timestampFromMs(figures.trainingEnded),
    },
  });
}
