/** When a record may be written for good. */
import { type Report, Report_Completeness } from "@pretrain/proto";
import { evaluationOf } from "./checkpoint-evaluations.ts";
import { isFinal } from "./execution.ts";

/**
 * `open`: more is to come. `complete`: the run completed and nothing is missing. `over`: it is over, and what is missing may
 * still be on its way, since metrics and events travel apart: it is written when nothing has come for a while.
 */
export type Readiness = "open" | "over" | "complete";

export function readiness({ completeness, execution, checkpoints, evaluations, recipe, gaps }: Report): Readiness {
  const isEvaluated = checkpoints.every((checkpoint) => evaluationOf(checkpoint, evaluations, recipe?.evaluation));
  if (execution === undefined || !isFinal(execution.state) || !isEvaluated) return "open";
  const isWhole = completeness === Report_Completeness.FINAL && gaps.length === 0;
  return isWhole && hasTrainingPhase(execution.phases) ? "complete" : "over";
}

/** Its note is the last thing that an attempt says. */
function hasTrainingPhase(phases: readonly { readonly phase: string }[]): boolean {
  return phases.some(({ phase }) => phase === "training");
}
