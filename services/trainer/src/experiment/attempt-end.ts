/** How an attempt leaves its experiment, in the light of what its user wants by then. */
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type ExperimentRecord, Experiment_Reason as Reason } from "@pretrain/proto";
import { type Command, isHeld } from "./lifecycle.ts";
import { type Change, experimentOf } from "./record.ts";

export interface AttemptEnd {
  readonly command: Extract<Command, "complete" | "fail" | "cancel" | "interrupt" | "pause">;
  readonly change: Change;
}

/**
 * The end by the newest record: a user may have asked for something, or withdrawn it, while the attempt was stopping for another
 * reason. What is complete, cancelled or can never be completed is so whatever was asked.
 */
export function endAsWished(record: ExperimentRecord, end: AttemptEnd): AttemptEnd {
  const { cancelRequested, pauseRequested } = experimentOf(record);
  const { command, change } = end;
  const byUser = (changed: AttemptEnd["command"], message: string): AttemptEnd => ({
    command: changed,
    change: { ...change, reason: Reason.USER, message },
  });
  if (command === "complete" || command === "fail" || command === "cancel") return end;
  if (cancelRequested) return byUser("cancel", "cancelled by its user");
  if (pauseRequested) return byUser("pause", "paused by its user");
  if (command !== "pause" || change.reason !== Reason.USER) return end;
  return byUser("interrupt", "its pause was withdrawn; another attempt goes on from the last checkpoint");
}

/** Whether this attempt's end is in the record already: an answer of the store's was lost, and the same is asked again. */
export function isEnded({ transitions }: ExperimentRecord, attempt: number, { now }: Change): boolean {
  const last = transitions.at(-1);
  if (last?.time === undefined || last.attempt !== attempt || !isHeld(last.from)) return false;
  return timestampMs(last.time) === now.getTime();
}
