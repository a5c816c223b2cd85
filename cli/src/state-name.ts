/** The state of an experiment as a word for people: `RUNNING`. */
import { type Experiment_State, Experiment_StateSchema } from "@pretrain/proto";

export function stateName(state: Experiment_State): string {
  return Experiment_StateSchema.value[state]?.localName ?? `state ${state}`;
}
