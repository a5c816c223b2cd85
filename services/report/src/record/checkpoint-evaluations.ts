/** Which checkpoints count, and which evaluation is the one of a checkpoint that the recipe asked for. */
import type { Checkpoint, CheckpointWritten, Evaluation, EvaluationPlan } from "@pretrain/proto";
import { acceptedItems, type Resumption } from "./accepted.ts";
import { byEnd, isCorrection, stands } from "./known-evaluations.ts";

export interface EvaluatedCheckpoint {
  readonly checkpoint: Checkpoint;
  /** Ended, well or not; undefined while it has not. */
  readonly evaluation: Evaluation | undefined;
}

/** The accepted checkpoints, by micro-step, each with its evaluation. */
export function evaluatedCheckpoints(
  written: readonly CheckpointWritten[],
  resumptions: readonly Resumption[],
  evaluations: readonly Evaluation[],
  plan: EvaluationPlan | undefined,
): EvaluatedCheckpoint[] {
  return acceptedItems(written, placeOf, resumptions).flatMap(({ checkpoint }) => {
    if (checkpoint === undefined) return [];
    return [{ checkpoint, evaluation: evaluationOf(checkpoint, evaluations, plan) }];
  });
}

/**
 * The evaluation of exactly its bytes by the recipe's plan; undefined while there is none. Of several a correction goes before what
 * succeeded, that before what failed, and the one that ended first before another measurement of the same.
 */
export function evaluationOf(
  checkpoint: Checkpoint,
  evaluations: readonly Evaluation[],
  plan: EvaluationPlan | undefined,
): Evaluation | undefined {
  return evaluations
    .filter((evaluation) => isOf(evaluation, checkpoint) && isPlanned(evaluation, plan) && isCandidate(evaluation))
    .sort((a, b) => rank(a) - rank(b) || byEnd(a, b))
    .at(0);
}

/** A correction that did not succeed leaves what it was to correct in its place. */
function isCandidate(evaluation: Evaluation): boolean {
  return evaluation.supersededBy === "" && (evaluation.supersedes === undefined || isCorrection(evaluation));
}

function rank(evaluation: Evaluation): number {
  if (isCorrection(evaluation)) return 0;
  return stands(evaluation) ? 1 : 2;
}

function placeOf({ attempt, checkpoint }: CheckpointWritten) {
  return { attempt, microStep: Number(checkpoint?.microStep ?? 0) };
}

/** A checkpoint written anew under the same name has another manifest; an evaluation of the old one says nothing about it. */
function isOf(evaluation: Evaluation, checkpoint: Checkpoint): boolean {
  const sameBytes = evaluation.checkpointSha256 === "" || evaluation.checkpointSha256 === checkpoint.manifestSha256;
  return evaluation.checkpoint === checkpoint.name && sameBytes;
}

/** The numbers of rows scored at once differ without changing a result, so they are not compared. */
function isPlanned({ settings }: Evaluation, plan: EvaluationPlan | undefined): boolean {
  if (settings === undefined || plan === undefined) return true;
  return (
    settings.samples === plan.samples &&
    settings.inputLength === plan.inputLength &&
    settings.predictLength === plan.predictLength &&
    settings.context === (plan.context ?? 0) &&
    settings.stride === (plan.stride ?? 0)
  );
}
