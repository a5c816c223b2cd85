/**
 * The life of an evaluation. What is to be done next stands in the record itself, next to the state, so that any process
 * that finds the record after a crash can go on:
 *
 *     PENDING ──begun──▶ RUNNING ──succeeded, failed, notCertified──▶ SUCCEEDED, FAILED, FAILED_CERTIFICATION
 *     `enqueued` follows the first write                `announced` follows the last one, when its event is durable;
 *                                                       `toldSuperseded` that, of a correction, in the record it corrects
 */
import { clone, create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type CheckpointId, checkpointName } from "@pretrain/checkpoint";
import {
  type Certificate,
  type Correction,
  type Evaluation,
  type EvaluationEnded,
  EvaluationEndedSchema,
  type EvaluationRecord,
  EvaluationRecordSchema,
  type EvaluationSettings,
  Evaluation_State as State,
} from "@pretrain/proto";
import { experimentName } from "@pretrain/recipe";
import { evaluationName } from "./identity.ts";
import type { Measurement } from "./measurement.ts";

/** What is to be measured. */
export interface Wanted {
  readonly id: string;
  readonly checkpoint: CheckpointId;
  /** SHA-256, in hex, of the checkpoint's manifest. */
  readonly checkpointSha256: string;
  /** Undefined when the recipe that would give them cannot be read; such an evaluation can only fail. */
  readonly settings: EvaluationSettings | undefined;
  /** Set where it corrects another evaluation. */
  readonly supersedes?: Correction | undefined;
}

/** The record of an evaluation that nobody works on yet. */
export function pending(
  { id, checkpoint, checkpointSha256, settings, supersedes }: Wanted,
  now: Date,
): EvaluationRecord {
  const evaluation = {
    name: evaluationName(id),
    state: State.PENDING,
    checkpoint: checkpointName(checkpoint),
    checkpointSha256,
    microStep: BigInt(checkpoint.microStep),
    createTime: timestampFromDate(now),
    ...(settings !== undefined && { settings }),
    ...(supersedes !== undefined && { supersedes }),
  };
  return create(EvaluationRecordSchema, { evaluation });
}

/** What the numbers are about, besides the checkpoint. */
export type Provenance = Pick<Evaluation, "dataset" | "datasetSha256" | "tokenizerSha256">;

/** Where the losses are that the numbers are sums of. */
export type Kept = Pick<Evaluation, "lossesBlob" | "lossesSha256">;

/** Numbers, and the proof that the code which made them is not mistaken. */
export type Certified = Measurement & Provenance & Kept & { readonly certificate: Certificate };

/** A worker begins, or begins again where another one was lost. */
export function begun(record: EvaluationRecord, now: Date): EvaluationRecord {
  return changed(record, { state: State.RUNNING, startTime: timestampFromDate(now) });
}

/** The numbers are there. */
export function succeeded(record: EvaluationRecord, measured: Certified, now: Date): EvaluationRecord {
  return changed(record, { ...measured, state: State.SUCCEEDED, endTime: timestampFromDate(now) });
}

/** There will be no numbers. @param error for a person */
export function failed(record: EvaluationRecord, error: string, now: Date): EvaluationRecord {
  return changed(record, { state: State.FAILED, error, endTime: timestampFromDate(now) });
}

/** Scored by code that failed a canary: no numbers, but the evidence. @param error for a person */
export function notCertified(
  record: EvaluationRecord,
  { error, certificate }: { readonly error: string; readonly certificate: Certificate },
  now: Date,
): EvaluationRecord {
  return changed(record, { state: State.FAILED_CERTIFICATION, error, certificate, endTime: timestampFromDate(now) });
}

/** The record with an end that was written down elsewhere before. */
export function withResult(record: EvaluationRecord, ended: Evaluation): EvaluationRecord {
  return Object.assign(clone(EvaluationRecordSchema, record), { evaluation: ended });
}

export function hasEnded({ state }: Evaluation): boolean {
  return state === State.SUCCEEDED || state === State.FAILED || state === State.FAILED_CERTIFICATION;
}

/** True when it puts its numbers in the place of another one's. */
export function isCorrection({ state, supersedes }: Evaluation): boolean {
  return state === State.SUCCEEDED && supersedes !== undefined;
}

/** The record of an evaluation that is corrected: it says by which one, and is otherwise what it was. */
export function superseded(record: EvaluationRecord, by: string): EvaluationRecord {
  const copy = clone(EvaluationRecordSchema, record);
  Object.assign(evaluationOf(copy), { supersededBy: by });
  return copy;
}

/** The record with other marks of what was done about it. */
export function marked(
  record: EvaluationRecord,
  marks: Partial<Pick<EvaluationRecord, "enqueued" | "announced" | "toldSuperseded">>,
): EvaluationRecord {
  return Object.assign(clone(EvaluationRecordSchema, record), marks);
}

/**
 * The event of its end: made of the record alone, so that a repetition of it is the same, also after a correction: that one's
 * own event says what it supersedes.
 */
export function ended(record: EvaluationRecord, experiment: string): EvaluationEnded {
  const evaluation = evaluationOf(record);
  const time = evaluation.endTime;
  if (!hasEnded(evaluation) || time === undefined) throw new Error(`${evaluation.name} has not ended`);
  const told = { ...evaluation, supersededBy: "" };
  return create(EvaluationEndedSchema, { experiment: experimentName(experiment), time, evaluation: told });
}

/** The resource as callers see it; `etag` changes with every write of the record. */
export function resourceOf(record: EvaluationRecord, revision: number): Evaluation {
  return Object.assign(evaluationOf(clone(EvaluationRecordSchema, record)), { etag: String(revision) });
}

export function evaluationOf({ evaluation }: EvaluationRecord): Evaluation {
  if (evaluation !== undefined) return evaluation;
  throw new Error("a record without an evaluation was stored"); // never written by this program
}

/** @throws Error for an evaluation that has ended: its numbers are never changed */
function changed(record: EvaluationRecord, fields: Partial<Evaluation>): EvaluationRecord {
  const copy = clone(EvaluationRecordSchema, record);
  const evaluation = evaluationOf(copy);
  if (hasEnded(evaluation)) throw new Error(`${evaluation.name} has ended already`);
  Object.assign(evaluation, fields);
  return copy;
}
