/** Five moments that are easily mixed up: accepted, taken, first step begun, last step ended, over. */
import { create } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { Experiment_State, type Moments, MomentsSchema, type StateChanged } from "@pretrain/proto";
import { isFinal } from "./execution.ts";
import { present } from "./present.ts";
import type { StepEnds } from "./run-steps.ts";

export function moments(transitions: readonly StateChanged[], { first, last }: StepEnds): Moments {
  const created = transitions.find(({ sequence }) => sequence === 1)?.time;
  const started = transitions.find(({ to }) => to === Experiment_State.PREPARING)?.time;
  const ended = transitions.findLast(({ to }) => isFinal(to))?.time;
  return create(MomentsSchema, {
    ...present({ created, started, ended }),
    // A step says when it ended and how long it took.
    ...(first && { trainingStarted: timestampFromMs(Math.round(first.timeMs - first.totalMs)) }),
    ...(last && { trainingEnded: timestampFromMs(last.timeMs) }),
  });
}

/**
 * Seconds between two moments; undefined when one of them has not come, or when the clocks of two processes, or one that was
 * set back, put them in the wrong order: no duration is better than one that cannot be.
 */
export function secondsBetween(from: Moments["created"], to: Moments["created"]): number | undefined {
  if (from === undefined || to === undefined) return undefined;
  const seconds = (timestampMs(to) - timestampMs(from)) / 1000;
  return seconds < 0 ? undefined : seconds;
}
