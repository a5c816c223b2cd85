/** An experiment that was paused because memory or a disk was full: how long it waits for the next try, and what it needs. */
import {
  type Experiment,
  type ExperimentRecord,
  Experiment_Reason as Reason,
  Experiment_State as State,
} from "@pretrain/proto";

const firstDelayMs = 2_000;
const longestDelayMs = 10 * 60_000;

/** Whether the service resumes it by itself. */
export function waitsForRoom({ state, reason }: Experiment): boolean {
  return state === State.PAUSED && reason === Reason.OUT_OF_RESOURCES;
}

/** Milliseconds until its next try: twice as many each time that it was paused for this. */
export function resumeDelayMs({ transitions }: ExperimentRecord): number {
  const pauses = transitions.filter(({ to, reason }) => to === State.PAUSED && reason === Reason.OUT_OF_RESOURCES);
  return Math.min(longestDelayMs, firstDelayMs * 2 ** Math.max(0, pauses.length - 1));
}

const leastBytes = 64 * 1024;

/** Bytes that its next checkpoint takes: weights and two moments of four bytes each. Little, as long as its model is not known. */
export function neededBytes({ parameters }: Experiment): number {
  return Math.max(leastBytes, 3 * 4 * Number(parameters));
}
