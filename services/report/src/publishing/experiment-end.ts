/** What a collector of traces is told of an experiment that is over. */
import { type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import { Experiment_State, type Report } from "@pretrain/proto";
import { idOfExperimentName } from "@pretrain/recipe";
import type { ExperimentEnd } from "@pretrain/tracing";
import { verdictCounts } from "../record/verdict-counts.ts";

/** Undefined when the record does not know its beginning or its end. */
export function experimentEnd({ name, moments, execution, indicators, training }: Report): ExperimentEnd | undefined {
  const [startMs, endMs] = [millisecondsOf(moments?.created), millisecondsOf(moments?.ended)];
  if (startMs === undefined || endMs === undefined) return undefined;
  const { targets, met } = verdictCounts(indicators);
  const hasCompleted = execution?.state === Experiment_State.COMPLETED;
  return {
    experiment: idOfExperimentName(name.replace(/\/report$/, "")),
    startMs,
    endMs,
    failure: hasCompleted ? undefined : (execution?.message ?? ""),
    attributes: {
      "pretrain.micro_steps": Number(training?.microSteps ?? 0n),
      "pretrain.attempts": execution?.attempts.length ?? 0,
      "pretrain.targets": targets,
      "pretrain.targets_met": met,
    },
  };
}

function millisecondsOf(time: Timestamp | undefined): number | undefined {
  return time && timestampMs(time);
}
