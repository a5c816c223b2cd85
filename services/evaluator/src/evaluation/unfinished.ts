/** What a record says is still to be done about it by somebody who does not compute. */
import type { EvaluationRecord } from "@pretrain/proto";
import { evaluationOf, hasEnded, isCorrection } from "./lifecycle.ts";

export type Duty = "enqueue" | "announce" | "tellSuperseded";

/** The first of them; undefined when nothing is owed. */
export function dutyOf(record: EvaluationRecord): Duty | undefined {
  const evaluation = evaluationOf(record);
  if (!hasEnded(evaluation)) return record.enqueued ? undefined : "enqueue";
  if (!record.announced) return "announce";
  return isCorrection(evaluation) && !record.toldSuperseded ? "tellSuperseded" : undefined;
}
