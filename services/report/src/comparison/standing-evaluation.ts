/** The evaluation that a record's final numbers are of. */
import type { Evaluation, Report } from "@pretrain/proto";
import { evaluationOf } from "../record/checkpoint-evaluations.ts";
import { stands } from "../record/known-evaluations.ts";

/** Of the last checkpoint whose evaluation has ended; undefined when that one has no numbers. */
export function standingEvaluation({ checkpoints, evaluations, recipe }: Report): Evaluation | undefined {
  const ended = checkpoints.map((checkpoint) => evaluationOf(checkpoint, evaluations, recipe?.evaluation));
  const last = ended.findLast((evaluation) => evaluation !== undefined);
  return last !== undefined && stands(last) ? last : undefined;
}
