/**
 * What a record owes to the queue, to the events' stream and to the record that it corrects. Each duty is done first and written
 * down as done afterwards: a crash in between makes it be done again, which the identities turn into nothing.
 */
import { create } from "@bufbuild/protobuf";
import { parseCheckpointName } from "@pretrain/checkpoint";
import { type Broker, events, work } from "@pretrain/events";
import { EvaluateWorkSchema } from "@pretrain/proto";
import { ended, evaluationOf, marked } from "../evaluation/lifecycle.ts";
import { type Duty, dutyOf } from "../evaluation/unfinished.ts";
import { changeRecord, type EvaluationRecords, type StoredEvaluation } from "./evaluation-records.ts";
import { tellSuperseded } from "./superseded-records.ts";

export interface Offices {
  readonly records: EvaluationRecords;
  readonly broker: Pick<Broker, "enqueue" | "publish">;
}

/** Does what the record owes, one after the other. @throws Unavailable when the broker does not answer; then it is still owed */
export async function discharge(offices: Offices, stored: StoredEvaluation): Promise<StoredEvaluation> {
  let current = stored;
  for (let duty = dutyOf(current.value); duty !== undefined; duty = dutyOf(current.value)) {
    await duties[duty](offices, current);
    const mark = marks[duty];
    current = await changeRecord(offices.records, current.key, (record) =>
      record[mark] ? undefined : marked(record, { [mark]: true }),
    );
  }
  return current;
}

const duties: Readonly<Record<Duty, (offices: Offices, stored: StoredEvaluation) => Promise<unknown>>> = {
  enqueue: ({ broker }, { key, value }) => {
    const piece = create(EvaluateWorkSchema, { evaluation: evaluationOf(value).name });
    return broker.enqueue(work.evaluate, piece, key);
  },
  announce: ({ broker }, { value }) => {
    const { experiment } = parseCheckpointName(evaluationOf(value).checkpoint);
    return broker.publish(events.evaluation, ended(value, experiment));
  },
  tellSuperseded: ({ records }, { value }) => tellSuperseded(records, evaluationOf(value)),
};

const marks = { enqueue: "enqueued", announce: "announced", tellSuperseded: "toldSuperseded" } as const;
