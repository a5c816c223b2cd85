/** When a record may be written for good. */
import { Experiment_State, type Report, Report_Completeness } from "@pretrain/proto";

/**
 * `open`: more is to come. `complete`: the run completed and nothing is missing. `over`: it is over, and what is missing may
 * still be on its way, since metrics and events travel apart: it is written when nothing has come for a while.
 */
export type Readiness = "open" | "over" | "complete";

export function readiness({ completeness, execution, checkpoints, gaps }: Report): Readiness {
  if (completeness !== Report_Completeness.FINAL) return "open";
  const isWhole =
    execution?.state === Experiment_State.COMPLETED && gaps.length === 0 && checkpoints.at(-1)?.final === true;
  return isWhole && hasTrainingPhase(execution.phases) ? "complete" : "over";
}

/** Its note is the last thing that an attempt says. */
function hasTrainingPhase(phases: readonly { readonly phase: string }[]): boolean {
  return phases.some(({ phase }) => phase === "training");
}
