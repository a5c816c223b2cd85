/** The life of a dataset. */
import { FailedPrecondition } from "@pretrain/errors";
import { Dataset_State as State } from "@pretrain/proto";

/**
 * `begin` also from PACKING: whoever packed it before was ended, and the work is done again. `renew`: it failed and is asked
 * for once more, or its blobs are gone; the inputs are the same, so it may only become the same dataset.
 */
export type Command = "begin" | "complete" | "fail" | "renew";

const next: Readonly<Record<number, Partial<Record<Command, State>>>> = {
  [State.PENDING]: { begin: State.PACKING, fail: State.FAILED },
  [State.PACKING]: { begin: State.PACKING, complete: State.READY, fail: State.FAILED },
  [State.READY]: { renew: State.PENDING },
  [State.FAILED]: { renew: State.PENDING },
};

/** The state after `command`, or undefined when `state` does not accept it. */
export function after(state: State, command: Command): State | undefined {
  return next[state]?.[command];
}

/** @throws FailedPrecondition DATASET_STATE naming the state, for a call that reads a complete dataset */
export function expectReady({
  name,
  state,
  error,
}: {
  readonly name: string;
  readonly state: State;
  readonly error: string;
}): void {
  if (state === State.READY) return;
  const stateName = Object.entries(State).find(([, value]) => value === state)?.[0] ?? String(state);
  const why = state === State.FAILED ? `: ${error}` : "; wait until it is READY";
  throw new FailedPrecondition("DATASET_STATE", `${name} is ${stateName}${why}`, { name, state: stateName });
}
