/** The state of an experiment as a word for people: `RUNNING`. */
import { enumToJson } from "@bufbuild/protobuf";
import { type Experiment_State, Experiment_StateSchema } from "@pretrain/proto";

export function stateName(state: Experiment_State): string {
  return String(enumToJson(Experiment_StateSchema, state)).replace(/^STATE_/, "");
}
