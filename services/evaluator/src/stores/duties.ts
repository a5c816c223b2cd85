/**
 * What a record owes to the queue and to the events' stream. Each duty is done first and written down as done afterwards: a
 * crash in between makes it be done again, which the piece's and the event's identities turn into nothing.
 */
import { create } from "@bufbuild/protobuf";
import { parseCheckpointName } from "@pretrain/checkpoint";
import { type Broker, events, work } from "@pretrain/events";
import { EvaluateWorkSchema } from "@pretrain/proto";
import { ended, evaluationOf, marked } from "../evaluation/lifecycle.ts";
import { dutyOf } from "../evaluation/unfinished.ts";
import { changeRecord, type EvaluationRecords, type StoredEvaluation } from "./evaluation-records.ts";

export interface Offices {
  readonly records: EvaluationRecords;
  readonly broker: Pick<Broker, "enqueue" | "publish">;
}

/** Does what the record owes, if anything. @throws Unavailable when the broker does not answer; then it is still owed */
export async function discharge({ records, broker }: Offices, stored: StoredEvaluation): Promise<StoredEvaluation> {
  const { key, value } = stored;
  const duty = dutyOf(value);
  if (duty === "enqueue") {
    const piece = create(EvaluateWorkSchema, { evaluation: evaluationOf(value).name });
    await broker.enqueue(work.evaluate, piece, key);
    return await changeRecord(records, key, (record) =>
      record.enqueued ? undefined : marked(record, { enqueued: true }),
    );
  }
  if (duty === "announce") {
    const { experiment } = parseCheckpointName(evaluationOf(value).checkpoint);
    await broker.publish(events.evaluation, ended(value, experiment));
    return await changeRecord(records, key, (record) =>
      record.announced ? undefined : marked(record, { announced: true }),
    );
  }
  return stored;
}
