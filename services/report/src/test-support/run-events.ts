/** Test support: the events of a whole run, with losses and times that look like those of a real one. Equal seeds, equal events. */
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  AttemptStartedSchema,
  DatasetPreparedSchema,
  Experiment_State,
  LogLine_Level,
  LogLineSchema,
  PhaseEndedSchema,
  StateChangedSchema,
} from "@pretrain/proto";
import { recipeSha256 } from "@pretrain/recipe";
import type { LedgerEvent } from "../ledger/ledger-event.ts";
import { checkpointEvent } from "./checkpoint-events.ts";
import { evaluationEvent } from "./evaluation-events.ts";
import { datasetReport, environment } from "./run-facts.ts";
import { experimentOf, nonceOf, type RunShape, runShape, stepMs } from "./run-shape.ts";
import { seededNoise } from "./seeded-noise.ts";
import { stepEvents } from "./step-events.ts";

const preparingMs = 12_000;

/** From the acceptance of the request to the last evaluation, in the order in which they happen. */
export function runEvents(given: Partial<RunShape> = {}): LedgerEvent[] {
  const shape = runShape(given);
  return [...beginning(shape), ...training(shape), ...ending(shape)];
}

/** QUEUED to RUNNING. */
export function beginning(shape: RunShape): LedgerEvent[] {
  const { startMs } = shape;
  return [
    state(shape, 1, startMs - 3000, Experiment_State.QUEUED),
    state(shape, 2, startMs, Experiment_State.PREPARING),
    attempt(shape, 1, startMs + 300, 0),
    phase(shape, "environment", startMs, startMs + 300, "TensorFlow 2.21.0, oneDNN on, 2 threads"),
    phase(shape, "data", startMs + 300, startMs + 9000, "412 rows to train on, 21 to validate on"),
    dataset(shape, startMs + 9000),
    phase(shape, "model", startMs + 9000, startMs + preparingMs, "1.42 M parameters"),
    state(shape, 3, startMs + preparingMs, Experiment_State.RUNNING),
    log(shape, 1, startMs + 200, LogLine_Level.WARNING, "bfloat16 is not computed by this CPU; float32 is used"),
    log(shape, 2, startMs + preparingMs, LogLine_Level.INFO, "training begins"),
  ];
}

/** Steps with their samples, checkpoints and evaluations. */
export function training(shape: RunShape): LedgerEvent[] {
  const noise = seededNoise(shape.seed);
  const total = shape.epochs * shape.stepsPerEpoch;
  const events: LedgerEvent[] = [];
  for (let microStep = 1; microStep <= total; microStep++) {
    const endMs = shape.startMs + preparingMs + microStep * stepMs;
    events.push(...stepEvents(shape, { attempt: 1, microStep, endMs }, noise));
    if (microStep % shape.saveInterval !== 0 && microStep !== total) continue;
    events.push(checkpointEvent(shape, { attempt: 1, microStep, endMs }));
    events.push(evaluationEvent(shape, { attempt: 1, microStep, endMs: endMs + 20_000 }));
  }
  return events;
}

/** The last phase and COMPLETED. */
export function ending(shape: RunShape): LedgerEvent[] {
  const trainingMs = shape.startMs + preparingMs;
  const endMs = trainingMs + shape.epochs * shape.stepsPerEpoch * stepMs;
  return [
    phase(shape, "training", trainingMs, endMs, `${shape.epochs * shape.stepsPerEpoch} micro-steps`),
    state(shape, 4, endMs + 1500, Experiment_State.COMPLETED),
  ];
}

export function state(
  shape: RunShape,
  sequence: number,
  timeMs: number,
  to: Experiment_State,
  message = "",
): LedgerEvent {
  const first = sequence === 1 ? { recipe: shape.recipe, title: shape.title } : {};
  const changed = { experiment: experimentOf(shape), sequence, time: timestampFromMs(timeMs), to, message };
  const from = sequence === 1 ? Experiment_State.UNSPECIFIED : (previous[to] ?? Experiment_State.RUNNING);
  return {
    kind: "state",
    message: create(StateChangedSchema, {
      ...changed,
      from,
      ...first,
      attempt: sequence === 1 ? 0 : 1,
      recipeSha256: recipeSha256(shape.recipe),
    }),
  };
}

const previous: Partial<Record<Experiment_State, Experiment_State>> = {
  [Experiment_State.PREPARING]: Experiment_State.QUEUED,
  [Experiment_State.RUNNING]: Experiment_State.PREPARING,
};

export function attempt(shape: RunShape, number: number, timeMs: number, resumedFrom: number): LedgerEvent {
  const total = shape.epochs * shape.stepsPerEpoch;
  return {
    kind: "attempt",
    message: create(AttemptStartedSchema, {
      experiment: experimentOf(shape),
      attempt: number,
      attemptNonce: nonceOf(number),
      time: timestampFromMs(timeMs),
      processId: 8666 + number,
      environment,
      resumedFromMicroStep: BigInt(resumedFrom),
      parameters: 1_422_336n,
      totalMicroSteps: BigInt(total),
      microStepsPerEpoch: BigInt(shape.stepsPerEpoch),
      totalOptimizerSteps: BigInt(Math.floor(total / shape.accumulation)),
      deviceBatchRows: 8,
    }),
  };
}

function phase(shape: RunShape, name: string, startMs: number, endMs: number, note: string): LedgerEvent {
  return {
    kind: "phase",
    message: create(PhaseEndedSchema, {
      experiment: experimentOf(shape),
      attempt: 1,
      attemptNonce: nonceOf(1),
      phase: name,
      startTime: timestampFromMs(startMs),
      endTime: timestampFromMs(endMs),
      succeeded: true,
      note,
    }),
  };
}

function dataset(shape: RunShape, timeMs: number): LedgerEvent {
  const message = create(DatasetPreparedSchema, {
    experiment: experimentOf(shape),
    time: timestampFromMs(timeMs),
    report: datasetReport,
  });
  return { kind: "dataset", message };
}

export function log(
  shape: RunShape,
  number: number,
  timeMs: number,
  level: LogLine_Level,
  message: string,
): LedgerEvent {
  return {
    kind: "log",
    message: create(LogLineSchema, {
      experiment: experimentOf(shape),
      attempt: 1,
      attemptNonce: nonceOf(1),
      time: timestampFromMs(timeMs),
      number: BigInt(number),
      level,
      message,
    }),
  };
}
