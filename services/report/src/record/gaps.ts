/** What should be in the ledger and is not. An empty list is a statement: everything is there. */
import { type Evaluation, Evaluation_State, Experiment_State } from "@pretrain/proto";
import type { EvaluatedCheckpoint } from "./checkpoint-evaluations.ts";
import { isFinal } from "./execution.ts";
import type { Contradiction, History, Stranger } from "./history.ts";
import type { MissingSteps } from "./missing-steps.ts";
import type { RunEnd } from "./run-end.ts";
import { counted } from "./wording.ts";

export interface KnownRun {
  readonly history: History;
  readonly state: Experiment_State;
  readonly missing: MissingSteps;
  readonly end: RunEnd;
  readonly checkpoints: readonly EvaluatedCheckpoint[];
  readonly evaluations: readonly Evaluation[];
}

export function gaps(run: KnownRun): string[] {
  return [
    ...beginning(run.history),
    ...missingSteps(run.missing),
    ...(run.state === Experiment_State.COMPLETED ? missingEnd(run) : []),
    ...run.checkpoints.flatMap((checkpoint) => missingEvaluation(checkpoint, isFinal(run.state))),
    ...run.evaluations.flatMap((evaluation) => missingCorrected(evaluation, run.evaluations)),
    ...run.history.contradictions.map(contradiction),
    ...run.history.strangers.map(stranger),
  ];
}

function beginning({ transitions, attempts, datasets }: History): string[] {
  return [
    ...(transitions[0]?.sequence === 1 ? [] : ["The first transition with the recipe is missing."]),
    ...missingNumbers(transitions.map(({ sequence }) => sequence)).map((number) => `Transition ${number} is missing.`),
    ...missingNumbers(attempts.map(({ attempt }) => attempt)).map(
      (number) => `What attempt ${number} ran on is missing.`,
    ),
    ...(attempts.length > 0 && datasets.length === 0 ? ["The dataset's report is missing."] : []),
  ];
}

/** Numbers between the first and the last of `found` (ascending) that are not among them. */
function missingNumbers(found: readonly number[]): number[] {
  const known = new Set(found);
  const [first = 0, last = -1] = [found[0], found.at(-1)];
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index).filter(
    (number) => !known.has(number),
  );
}

function missingSteps({ ranges, missing }: MissingSteps): string[] {
  const listed = ranges.map(({ first, last }) =>
    first === last
      ? `Micro-step ${counted(first)} is missing.`
      : `Micro-steps ${counted(first)} to ${counted(last)} are missing.`,
  );
  const shown = ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  return missing > shown ? [...listed, `${counted(missing - shown)} more micro-steps are missing.`] : listed;
}

function missingEnd({ missing: { last }, end: { microSteps, hasLastStep, hasLastCheckpoint } }: KnownRun): string[] {
  return [
    ...(microSteps === undefined || hasLastStep
      ? []
      : [`Micro-steps ${counted(last + 1)} to ${counted(microSteps)} are missing.`]),
    ...(hasLastCheckpoint ? [] : ["The checkpoint at the end of training is missing."]),
  ];
}

/** While the run goes on, an evaluation that has not ended is no gap. */
function missingEvaluation({ checkpoint, evaluation }: EvaluatedCheckpoint, isOver: boolean): string[] {
  const name = `The evaluation of the checkpoint of micro-step ${counted(checkpoint.microStep)}`;
  if (evaluation === undefined) return isOver ? [`${name} has not ended.`] : [];
  if (evaluation.state === Evaluation_State.FAILED) return [`${name} failed: ${evaluation.error}`];
  return evaluation.state === Evaluation_State.FAILED_CERTIFICATION
    ? [`${name} was not certified: ${evaluation.error}`]
    : [];
}

/** A correction is shown beside what it corrects. */
function missingCorrected({ name, supersedes }: Evaluation, evaluations: readonly Evaluation[]): string[] {
  if (supersedes === undefined || evaluations.some((each) => each.name === supersedes.evaluation)) return [];
  return [`${supersedes.evaluation}, which ${name} corrects, is missing.`];
}

function contradiction({ kind, attempt, number, detail }: Contradiction): string {
  const identity = [`attempt ${attempt}`, `number ${counted(number)}`, ...(detail === "" ? [] : [detail])].join(", ");
  return `Two different events claim to be the same ${kind} (${identity}); the later one is shown.`;
}

function stranger({ attempt, events }: Stranger): string {
  const found = events === 1 ? "1 event" : `${counted(events)} events`;
  return `${found} of attempt ${attempt} carry another mark than the attempt that holds this number; they do not count.`;
}
