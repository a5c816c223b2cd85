/** Records of evaluations in the broker's bucket: made once, changed by compare-and-set only. */
import type { BlobStore } from "@pretrain/blobs";
import { Aborted, AlreadyExists } from "@pretrain/errors";
import type { Recorded, Records } from "@pretrain/events";
import type { EvaluationRecord } from "@pretrain/proto";
import { evaluationIds, type Subject } from "../evaluation/identity.ts";
import { evaluationOf, pending, withResult } from "../evaluation/lifecycle.ts";
import { keptResult } from "./kept-results.ts";

export type EvaluationRecords = Pick<Records<EvaluationRecord>, "get" | "create" | "update" | "list">;
export type StoredEvaluation = Recorded<EvaluationRecord>;

const triesOfOneChange = 20;

/**
 * The record of that evaluation, made if there is none: the same checkpoint and settings are the same evaluation. One that had ended
 * when the broker forgot its record has ended again, and is to be announced.
 */
export async function evaluationFor(
  { records, blobs }: { readonly records: EvaluationRecords; readonly blobs: BlobStore },
  subject: Subject,
  now: Date,
): Promise<StoredEvaluation> {
  const { checkpoint, checkpointSha256 } = subject;
  const begin = async (id: string) => {
    const kept = await keptResult(blobs, checkpoint.experiment, id, checkpointSha256);
    const record = pending({ ...subject, id }, now);
    return await madeOrFound(records, id, kept === undefined ? record : withResult(record, kept));
  };
  for (const id of evaluationIds(subject)) {
    const stored = (await records.get(id)) ?? (await begin(id));
    if (evaluationOf(stored.value).checkpointSha256 === subject.checkpointSha256) return stored;
  }
  throw new Error(`${evaluationIds(subject).join(", ")}: both names are taken by other checkpoints`); // two SHA-256 begin alike
}

/**
 * The record after a change, decided again each time somebody else was faster.
 *
 * @param decide the new value, or undefined when nothing is to be changed
 * @throws Aborted when others are faster twenty times
 */
export async function changeRecord(
  records: EvaluationRecords,
  id: string,
  decide: (record: EvaluationRecord) => Decided | Promise<Decided>,
): Promise<StoredEvaluation> {
  for (let tries = 1; ; tries += 1) {
    const stored = await records.get(id);
    if (stored === undefined) throw new Error(`the record ${id} is gone; nothing deletes records`);
    const value = await decide(stored.value);
    if (value === undefined) return stored;
    try {
      return { key: id, value, revision: await records.update(id, value, stored.revision) };
    } catch (error) {
      if (!(error instanceof Aborted) || tries === triesOfOneChange) throw error;
    }
  }
}

type Decided = EvaluationRecord | undefined;

async function madeOrFound(records: EvaluationRecords, id: string, value: EvaluationRecord): Promise<StoredEvaluation> {
  try {
    return { key: id, value, revision: await records.create(id, value) };
  } catch (error) {
    const found = error instanceof AlreadyExists ? await records.get(id) : undefined;
    if (found === undefined) throw error;
    return found;
  }
}
