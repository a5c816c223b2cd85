/** One piece of work: from a record that waits to a record that has ended and is announced, whatever happened to others before. */
import type { BlobStore } from "@pretrain/blobs";
import { messageOf } from "@pretrain/errors";
import type { Log } from "@pretrain/observability";
import type { Certificate, Evaluation, EvaluationRecord } from "@pretrain/proto";
import { afterFailure, type Decision, type Tries } from "../evaluation/after-failure.ts";
import { NotCertified } from "../evaluation/certificate.ts";
import {
  begun,
  type Certified,
  evaluationOf,
  failed,
  hasEnded,
  notCertified,
  succeeded,
  withResult,
} from "../evaluation/lifecycle.ts";
import { refuseLargeResult } from "../evaluation/measurement.ts";
import { discharge, type Offices } from "../stores/duties.ts";
import { changeRecord, type StoredEvaluation } from "../stores/evaluation-records.ts";
import { keepResult } from "../stores/kept-results.ts";

export interface Means extends Offices {
  readonly blobs: BlobStore;
  /** @throws whatever keeps the checkpoint from being measured */
  readonly measure: (evaluation: Evaluation, signal: AbortSignal) => Promise<Certified>;
  readonly now: () => Date;
  readonly log: Log;
}

/** What becomes of the piece: struck off, or handed out again. */
export type Outcome = { readonly kind: "done" } | { readonly kind: "again"; readonly delayMs: number };

/**
 * @param deliveries how often the piece has been handed out
 * @param signal aborted when it must be given up unfinished; then nothing more is written
 * @throws Unavailable when the broker does not answer
 */
export async function carryOut(means: Means, id: string, deliveries: number, signal: AbortSignal): Promise<Outcome> {
  const { records, now, log } = means;
  const found = await records.get(id);
  if (found === undefined) {
    log.error({ evaluation: id }, "work for an evaluation that does not exist is struck off");
    return { kind: "done" };
  }
  if (!hasEnded(evaluationOf(found.value))) {
    await changeUnlessEnded(means, id, (record) => begun(record, now()));
    const outcome = await compute(means, found, deliveries, signal);
    if (outcome.kind === "again") return outcome;
  }
  const ended = await records.get(id);
  if (ended !== undefined) await discharge(means, ended);
  return { kind: "done" };
}

/** Writes numbers or a failure into the record, unless the piece is to be handed out again. */
async function compute(
  means: Means,
  { key, value }: StoredEvaluation,
  deliveries: number,
  signal: AbortSignal,
): Promise<Outcome> {
  const { now, log } = means;
  for (let computations = 1; ; computations += 1) {
    const result = await measuredOrDecided(means, evaluationOf(value), { computations, deliveries }, signal);
    if (signal.aborted) return { kind: "again", delayMs: 0 };
    if (result.kind === "later") return { kind: "again", delayMs: result.delayMs };
    if (result.kind === "repeat") continue;
    const newest = (await means.records.get(key))?.value ?? value;
    if (hasEnded(evaluationOf(newest))) return { kind: "done" }; // another worker was faster
    const kept = await keepResult(means.blobs, evaluationOf(endOf(newest, result, now())));
    await changeUnlessEnded(means, key, (record) => withResult(record, kept));
    log.info({ evaluation: key, result: result.kind }, "evaluation ended");
    return { kind: "done" };
  }
}

type Result =
  | { readonly kind: "measured"; readonly measured: Certified }
  | { readonly kind: "not_certified"; readonly error: string; readonly certificate: Certificate }
  | Decision;

type End = Exclude<Result, { readonly kind: "repeat" | "later" }>;

function endOf(record: EvaluationRecord, end: End, now: Date): EvaluationRecord {
  if (end.kind === "measured") return succeeded(record, end.measured, now);
  if (end.kind === "not_certified") return notCertified(record, end, now);
  return failed(record, end.error, now);
}

async function measuredOrDecided(
  { measure, log }: Means,
  evaluation: Evaluation,
  tries: Tries,
  signal: AbortSignal,
): Promise<Result> {
  try {
    const measured = await measure(evaluation, signal);
    const { supersedes } = evaluation;
    refuseLargeResult({ ...measured, ...(supersedes && { supersedes }) });
    return { kind: "measured", measured };
  } catch (error) {
    if (error instanceof NotCertified) {
      log.error({ evaluation: evaluation.name, reason: error.message }, "not certified: its numbers are withheld");
      return { kind: "not_certified", error: error.message, certificate: error.certificate };
    }
    const decision = afterFailure(error, tries);
    log.warn({ evaluation: evaluation.name, reason: messageOf(error), decision: decision.kind }, "not measured");
    return decision;
  }
}

/** Another worker may have been faster; what it wrote stands. */
function changeUnlessEnded({ records }: Means, id: string, change: (record: EvaluationRecord) => EvaluationRecord) {
  return changeRecord(records, id, (record) => (hasEnded(evaluationOf(record)) ? undefined : change(record)));
}
