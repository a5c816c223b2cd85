/**
 * What the evaluations of the ledger come to, in whatever order they came: numbers only of those that certified themselves, and
 * of two that measured the same, one of which corrects the other, the word which of them stands.
 *
 *     a-8             SUCCEEDED      12.34     ◀─┐ superseded by a-8-c4a11e0d: stays, is shown, decides nothing
 *     a-8-c4a11e0d    SUCCEEDED       2.26     ──┘ supersedes a-8
 *     a-16            FAILED_CERTIFICATION         its certificate is shown, and no number
 */
import { create } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import {
  Canary_Outcome,
  type Evaluation,
  Evaluation_State,
  type EvaluationEnded,
  EvaluationSchema,
} from "@pretrain/proto";
import { present } from "./present.ts";

/** Of one experiment, by micro-step, then by name. */
export function knownEvaluations(ended: readonly EvaluationEnded[]): Evaluation[] {
  const evaluations = ended.flatMap(({ evaluation }) => (evaluation === undefined ? [] : [believed(evaluation)]));
  const corrections = effectiveCorrections(evaluations);
  return evaluations
    .map((evaluation) => ({ ...evaluation, supersededBy: supersederOf(evaluation, corrections)?.name ?? "" }))
    .sort((a, b) => Number(a.microStep - b.microStep) || compare(a.name, b.name));
}

/** True when its numbers are to be used: it succeeded, and no other one has taken its place. */
export function stands({ state, supersededBy }: Evaluation): boolean {
  return state === Evaluation_State.SUCCEEDED && supersededBy === "";
}

/** True when it puts its numbers in the place of another one's. */
export function isCorrection({ state, supersedes }: Evaluation): boolean {
  return state === Evaluation_State.SUCCEEDED && supersedes !== undefined;
}

/** Below 0 when `a` ended before `b`; the names decide at the same moment. */
export function byEnd(a: Evaluation, b: Evaluation): number {
  return endMs(a) - endMs(b) || compare(a.name, b.name);
}

/** An evaluation that did not succeed holds no number, whatever its event says; one whose certificate shows a failure did not. */
function believed(evaluation: Evaluation): Evaluation {
  const isRefuted = evaluation.certificate?.canaries.some(({ outcome }) => outcome === Canary_Outcome.FAILED) ?? false;
  if (evaluation.state !== Evaluation_State.SUCCEEDED) return withoutNumbers(evaluation);
  if (!isRefuted) return evaluation;
  const state = Evaluation_State.FAILED_CERTIFICATION;
  return withoutNumbers({ ...evaluation, state, error: "its own certificate has a canary that failed" });
}

/** What is kept is named, so that a number that is added to the contract later is not kept by oversight. */
function withoutNumbers(evaluation: Evaluation): Evaluation {
  const { name, state, error, checkpoint, checkpointSha256, microStep } = evaluation;
  const { dataset, datasetSha256, tokenizerSha256 } = evaluation;
  const { settings, createTime, startTime, endTime, certificate, supersedes } = evaluation;
  const facts = {
    name,
    state,
    error,
    checkpoint,
    checkpointSha256,
    microStep,
    dataset,
    datasetSha256,
    tokenizerSha256,
  };
  const parts = present({ settings, createTime, startTime, endTime, certificate, supersedes });
  return create(EvaluationSchema, { ...facts, ...parts });
}

/** By what they correct. Of several corrections of one evaluation the one that ended last counts. */
function effectiveCorrections(evaluations: readonly Evaluation[]): ReadonlyMap<string, Evaluation> {
  const inOrder = evaluations.filter(isCorrection).sort(byEnd);
  return new Map(inOrder.map((correction) => [placeOf(correction, correction.supersedes?.evaluation), correction]));
}

/** What corrects it, or what was preferred to it as a correction of the same. */
function supersederOf(evaluation: Evaluation, corrections: ReadonlyMap<string, Evaluation>): Evaluation | undefined {
  const own = corrections.get(placeOf(evaluation, evaluation.name));
  if (own !== undefined || !isCorrection(evaluation)) return own;
  const preferred = corrections.get(placeOf(evaluation, evaluation.supersedes?.evaluation));
  return preferred?.name === evaluation.name ? undefined : preferred;
}

/** A name, of exactly these bytes: an evaluation of another checkpoint takes nobody's place here. */
function placeOf({ checkpoint, checkpointSha256 }: Evaluation, name = ""): string {
  return `${name} ${checkpoint} ${checkpointSha256}`;
}

function endMs({ endTime }: Evaluation): number {
  return endTime === undefined ? 0 : timestampMs(endTime);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
