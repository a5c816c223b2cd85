/** What a record says is still to be done about it by somebody who does not compute. */
import type { EvaluationRecord } from "@pretrain/proto";
import { evaluationOf, hasEnded } from "./lifecycle.ts";

export type Duty = "enqueue" | "announce" | "nothing";

export function dutyOf(record: EvaluationRecord): Duty {
  if (hasEnded(evaluationOf(record))) return record.announced ? "nothing" : "announce";
  return record.enqueued ? "nothing" : "enqueue";
}
