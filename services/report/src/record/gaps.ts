/** What should be in the ledger and is not. An empty list is a statement: everything is there. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type Annotation,
  type Evaluation,
  Evaluation_State,
  Experiment_State,
  type Gap,
  GapSchema,
  Gap_Kind as Kind,
} from "@pretrain/proto";
import type { EvaluatedCheckpoint } from "./checkpoint-evaluations.ts";
import { isFinal } from "./execution.ts";
import type { Contradiction, History, Stranger } from "./history.ts";
import type { MissingSteps } from "./missing-steps.ts";
import type { RunEnd } from "./run-end.ts";

export interface KnownRun {
  readonly history: History;
  readonly state: Experiment_State;
  readonly missing: MissingSteps;
  readonly end: RunEnd;
  readonly checkpoints: readonly EvaluatedCheckpoint[];
  readonly evaluations: readonly Evaluation[];
}

type Missing = MessageInitShape<typeof GapSchema>;

export function gaps(run: KnownRun): Gap[] {
  const missing = [
    ...beginning(run.history),
    ...missingSteps(run.missing),
    ...(run.state === Experiment_State.COMPLETED ? missingEnd(run) : []),
    ...run.checkpoints.flatMap((checkpoint) => missingEvaluation(checkpoint, isFinal(run.state))),
    ...run.evaluations.flatMap((evaluation) => missingCorrected(evaluation, run.evaluations)),
    ...run.history.annotations.flatMap((annotation) => missingSuperseded(annotation, run.history.annotations)),
    ...run.history.contradictions.map(contradiction),
    ...run.history.strangers.map(stranger),
  ];
  return missing.map((gap) => create(GapSchema, gap));
}

function beginning({ transitions, attempts, datasets }: History): Missing[] {
  const numbered = (kind: Kind) => (number: number) => ({ kind, first: BigInt(number) });
  return [
    ...(transitions[0]?.sequence === 1 ? [] : [{ kind: Kind.RECIPE }]),
    ...missingNumbers(transitions.map(({ sequence }) => sequence)).map(numbered(Kind.TRANSITION)),
    ...missingNumbers(attempts.map(({ attempt }) => attempt)).map(numbered(Kind.ATTEMPT)),
    ...(attempts.length > 0 && datasets.length === 0 ? [{ kind: Kind.DATASET }] : []),
  ];
}

/** Numbers are what somebody sent: behind a false one there would be a gap of two thousand million. */
const mostNumbers = 1000;

/** Numbers between the first and the last of `found` (ascending) that are not among them, the first thousand. */
function missingNumbers(found: readonly number[]): number[] {
  const known = new Set(found);
  const [first = 0, last = -1] = [found[0], found.at(-1)];
  const missing: number[] = [];
  for (let number = first; number < last && missing.length < mostNumbers; number += 1) {
    if (!known.has(number)) missing.push(number);
  }
  return missing;
}

function missingSteps({ ranges, missing }: MissingSteps): Missing[] {
  const listed = ranges.map(({ first, last }) => microSteps(first, last));
  const shown = ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  return missing > shown ? [...listed, { kind: Kind.MORE_MICRO_STEPS, count: BigInt(missing - shown) }] : listed;
}

function microSteps(first: number, last: number): Missing {
  return { kind: Kind.MICRO_STEPS, first: BigInt(first), last: BigInt(last) };
}

function missingEnd({ missing: { last }, end }: KnownRun): Missing[] {
  const isWhole = end.microSteps === undefined || end.hasLastStep;
  return [
    ...(isWhole ? [] : [microSteps(last + 1, end.microSteps ?? 0)]),
    ...(end.hasLastCheckpoint ? [] : [{ kind: Kind.LAST_CHECKPOINT }]),
  ];
}

/** While the run goes on, an evaluation that has not ended is no gap. */
function missingEvaluation({ checkpoint, evaluation }: EvaluatedCheckpoint, isOver: boolean): Missing[] {
  const first = checkpoint.microStep;
  if (evaluation === undefined) return isOver ? [{ kind: Kind.EVALUATION_OPEN, first }] : [];
  const subject = evaluation.error;
  if (evaluation.state === Evaluation_State.FAILED) return [{ kind: Kind.EVALUATION_FAILED, first, subject }];
  const isRefuted = evaluation.state === Evaluation_State.FAILED_CERTIFICATION;
  return isRefuted ? [{ kind: Kind.EVALUATION_NOT_CERTIFIED, first, subject }] : [];
}

/** A correction is shown beside what it corrects. */
function missingCorrected({ name, supersedes }: Evaluation, evaluations: readonly Evaluation[]): Missing[] {
  if (supersedes === undefined || evaluations.some((each) => each.name === supersedes.evaluation)) return [];
  return [{ kind: Kind.CORRECTED_EVALUATION, subject: supersedes.evaluation, detail: name }];
}

/** So is an annotation that takes another one's place. */
function missingSuperseded({ name, supersedes }: Annotation, annotations: readonly Annotation[]): Missing[] {
  if (supersedes === "" || annotations.some((each) => each.name === supersedes)) return [];
  return [{ kind: Kind.SUPERSEDED_ANNOTATION, subject: supersedes, detail: name }];
}

function contradiction({ kind: subject, attempt, number, detail }: Contradiction): Missing {
  return { kind: Kind.CONTRADICTION, attempt, first: BigInt(number), subject, detail };
}

function stranger({ attempt, events }: Stranger): Missing {
  return { kind: Kind.STRANGERS, attempt, count: BigInt(events) };
}
