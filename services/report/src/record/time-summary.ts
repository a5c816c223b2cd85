/** Where the time went, from the acceptance of the request to the final state. */
import { create } from "@bufbuild/protobuf";
import { type Moments, type TimeSummary, TimeSummarySchema } from "@pretrain/proto";
import { secondsBetween } from "./moments.ts";
import { present } from "./present.ts";
import type { RunSteps } from "./run-steps.ts";

export function timeSummary(moments: Moments, { times, firstTimes }: RunSteps): TimeSummary {
  const { created, started, trainingStarted, trainingEnded, ended } = moments;
  const seconds = times.totalSeconds;
  return create(TimeSummarySchema, {
    ...present({
      queuedSeconds: secondsBetween(created, started),
      preparingSeconds: secondsBetween(started, trainingStarted),
      trainingSeconds: secondsBetween(trainingStarted, trainingEnded),
      totalSeconds: secondsBetween(started, ended),
      meanStep: times.mean(),
      meanFirstSteps: firstTimes.mean(),
    }),
    ...(seconds > 0 && { tokensPerSecond: times.tokens / seconds, positionsPerSecond: times.positions / seconds }),
  });
}
