/** How the run went: state, transitions, attempts, phases. One source of truth for the state: the last transition. */
import { create } from "@bufbuild/protobuf";
import { type Execution, ExecutionSchema, Experiment_State } from "@pretrain/proto";
import type { History } from "./history.ts";

const finalStates: ReadonlySet<Experiment_State> = new Set([
  Experiment_State.COMPLETED,
  Experiment_State.FAILED,
  Experiment_State.CANCELLED,
]);

/** True when no transition leads out of `state`. */
export function isFinal(state: Experiment_State): boolean {
  return finalStates.has(state);
}

export function execution({ transitions, attempts, phases }: History): Execution {
  const last = transitions.at(-1);
  return create(ExecutionSchema, {
    state: last?.to ?? Experiment_State.UNSPECIFIED,
    ...(last && { reason: last.reason, message: last.message }),
    // The recipe travels with the first transition; the record shows it once, in its own place.
    transitions: transitions.map(({ recipe: _shownApart, ...transition }) => transition),
    attempts: [...attempts],
    phases: [...phases],
  });
}
