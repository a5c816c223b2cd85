/** What asking for an evaluation comes to, whoever asks: a record, its piece of work, and somebody who does it. */
import type { BlobStore } from "@pretrain/blobs";
import type { Subject } from "../evaluation/identity.ts";
import { discharge, type Offices } from "../stores/duties.ts";
import { evaluationFor, type StoredEvaluation } from "../stores/evaluation-records.ts";

export interface Requesting extends Offices {
  readonly blobs: BlobStore;
  readonly now: () => Date;
  /** Says that there is work. */
  readonly wake: () => void;
}

/** A crash behind any line is repaired by the sweep, or by whoever asks again. */
export async function requestEvaluation(
  { now, wake, blobs, ...offices }: Requesting,
  subject: Subject,
): Promise<StoredEvaluation> {
  const stored = await discharge(offices, await evaluationFor({ records: offices.records, blobs }, subject, now()));
  wake();
  return stored;
}
