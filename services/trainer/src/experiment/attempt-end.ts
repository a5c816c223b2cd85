/** How an attempt leaves its experiment, in the light of what its user wants by then. */
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type ExperimentRecord, Experiment_Reason as Reason } from "@pretrain/proto";
import { earlyStopText } from "./early-stopping.ts";
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
  if (command === "complete") return { command, change: completed(change, record) };
  if (command === "fail" || command === "cancel") return end;
  if (cancelRequested) return byUser("cancel", "cancelled by its user");
  if (pauseRequested) return byUser("pause", "paused by its user");
  if (command !== "pause" || change.reason !== Reason.USER) return end;
  return byUser("interrupt", "its pause was withdrawn; another attempt goes on from the last checkpoint");
}

/** Of one that was stopped early: why, and which checkpoint is the best. */
function completed(change: Change, record: ExperimentRecord): Change {
  const { earlyStop } = experimentOf(record);
  const { microStep = 0n, totalMicroSteps = 0n } = change.fields?.progress ?? {};
  if (earlyStop === undefined || microStep >= totalMicroSteps) return change;
  return { ...change, reason: Reason.STOPPED_EARLY, message: `${change.message}; ${earlyStopText(earlyStop)}` };
}

/** Whether this attempt's end is in the record already: an answer of the store's was lost, and the same is asked again. */
export function isEnded({ transitions }: ExperimentRecord, attempt: number, { now }: Change): boolean {
  const last = transitions.at(-1);
  if (last?.time === undefined || last.attempt !== attempt || !isHeld(last.from)) return false;
  return timestampMs(last.time) === now.getTime();
}
