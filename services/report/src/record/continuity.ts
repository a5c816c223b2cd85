/** Whether the run is whole in spite of its interruptions: how often it was interrupted, what that cost, and what it came to again. */
import { create } from "@bufbuild/protobuf";
import { type Continuity, ContinuitySchema, Experiment_State } from "@pretrain/proto";
import type { History } from "./history.ts";
import type { MissingSteps } from "./missing-steps.ts";
import type { RunEnd } from "./run-end.ts";

interface RunSoFar {
  readonly history: History;
  readonly state: Experiment_State;
  readonly missing: MissingSteps;
  readonly end: RunEnd;
}

/** States in which nobody computes, though the run is not over. */
const waiting: ReadonlySet<Experiment_State> = new Set([
  Experiment_State.INTERRUPTED,
  Experiment_State.PAUSED,
  Experiment_State.QUEUED,
]);

export function continuity({ history, state, missing, end }: RunSoFar): Continuity {
  const attempts = new Set([...history.attempts, ...history.resumptions].map(({ attempt }) => attempt)).size;
  const ended = waiting.has(state) ? attempts : attempts - 1;
  const { microSteps, equal } = history.repetitions;
  const lastExpected = state === Experiment_State.COMPLETED ? (end.microSteps ?? missing.last) : missing.last;
  return create(ContinuitySchema, {
    attempts,
    interruptions: Math.max(0, ended),
    repeatedMicroSteps: BigInt(microSteps),
    equalRepetitions: BigInt(equal),
    unequalRepetitions: BigInt(microSteps - equal),
    missingMicroSteps: BigInt(missing.missing + Math.max(0, lastExpected - missing.last)),
  });
}
