/**
 * The life of an experiment. No clock, no store: what may follow what.
 *
 *     ┌▶ QUEUED ───▶ PREPARING ──▶ RUNNING ──▶ COMPLETED | FAILED
 *     │     │         ▲  │  └────────┤  │
 *     │     │         │  │           ▼  │
 *     │     │         └──┼── INTERRUPTED│   its worker is gone; the next attempt goes on from the last checkpoint
 *     │     ▼            ▼       ▼      ▼
 *     └─────────────── PAUSED ◀──────────   waits for somebody's word, or for room
 *
 * and from each of the five that are not final to CANCELLED.
 */
import { FailedPrecondition } from "@pretrain/errors";
import { Experiment_State as State } from "@pretrain/proto";

/** `interrupt`: the attempt ended without an end of the experiment. */
export type Command = "prepare" | "run" | "complete" | "fail" | "cancel" | "interrupt" | "pause" | "resume";

/** A state that accepts nothing is final. */
const next: Readonly<Record<State, Partial<Record<Command, State>>>> = {
  [State.UNSPECIFIED]: {},
  [State.QUEUED]: { prepare: State.PREPARING, pause: State.PAUSED, cancel: State.CANCELLED },
  [State.PREPARING]: {
    run: State.RUNNING,
    fail: State.FAILED,
    cancel: State.CANCELLED,
    interrupt: State.INTERRUPTED,
    pause: State.PAUSED,
  },
  [State.RUNNING]: {
    complete: State.COMPLETED,
    fail: State.FAILED,
    cancel: State.CANCELLED,
    interrupt: State.INTERRUPTED,
    pause: State.PAUSED,
  },
  [State.INTERRUPTED]: {
    prepare: State.PREPARING,
    fail: State.FAILED,
    cancel: State.CANCELLED,
    pause: State.PAUSED,
  },
  [State.PAUSED]: { resume: State.QUEUED, cancel: State.CANCELLED },
  [State.COMPLETED]: {},
  [State.FAILED]: {},
  [State.CANCELLED]: {},
};

/** The state after `command`. @throws FailedPrecondition EXPERIMENT_STATE naming the commands that `state` does accept */
export function after(state: State, command: Command): State {
  const accepted = next[state] ?? {};
  const following = accepted[command];
  if (following !== undefined) return following;
  const commands = Object.keys(accepted).join(", ");
  const cure = commands === "" ? "it has ended" : `it accepts ${commands}`;
  throw new FailedPrecondition(
    "EXPERIMENT_STATE",
    `cannot ${command} an experiment that is ${stateName(state)}; ${cure}`,
    {
      state: stateName(state),
      accepted: commands,
    },
  );
}

/** The same; undefined when `state` does not accept the command. */
export function following(state: State, command: Command): State | undefined {
  return next[state]?.[command];
}

/** Whether nothing can follow. */
export function isFinal(state: State): boolean {
  return Object.keys(next[state] ?? {}).length === 0;
}

/** Whether a worker holds the experiment, as far as the record knows. */
export function isHeld(state: State): boolean {
  return state === State.PREPARING || state === State.RUNNING;
}

/** Whether a piece of work in the queue stands for the experiment: its worker's, or one that waits for a worker. */
export function needsWork(state: State): boolean {
  return !isFinal(state) && state !== State.PAUSED;
}

/** `RUNNING`, as in the .proto. */
export function stateName(state: State): string {
  const [name] = Object.entries(State).find(([, value]) => value === state) ?? [String(state)];
  return name;
}
