/** The record of what a correction corrects: it comes to say by which evaluation it is superseded. */
import type { Evaluation } from "@pretrain/proto";
import { endedLater } from "../evaluation/correction.ts";
import { idOfEvaluationName } from "../evaluation/identity.ts";
import { evaluationOf, superseded } from "../evaluation/lifecycle.ts";
import { changeRecord, type EvaluationRecords } from "./evaluation-records.ts";

/** Of several corrections the one that ended last is named, whatever the order in which they come here. */
export async function tellSuperseded(records: EvaluationRecords, correction: Evaluation): Promise<void> {
  const id = idOfEvaluationName(correction.supersedes?.evaluation ?? "");
  if ((await records.get(id)) === undefined) return; // nothing deletes records, but somebody may delete the bucket
  await changeRecord(records, id, async (record) => {
    const { supersededBy } = evaluationOf(record);
    if (supersededBy === correction.name) return undefined;
    const other = supersededBy === "" ? undefined : await records.get(idOfEvaluationName(supersededBy));
    const isOvertaken = other !== undefined && endedLater(evaluationOf(other.value), correction);
    return isOvertaken ? undefined : superseded(record, correction.name);
  });
}
