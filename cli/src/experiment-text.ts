/** Experiments for a person: one in a line, in a table of many, or with all that is known of it. */
import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import { type Experiment, Experiment_Priority, Experiment_PrioritySchema } from "@pretrain/proto";
import { progressLine } from "./following/progress-line.ts";
import { isFinal } from "./following/streams.ts";
import { shortName } from "./resource-names.ts";
import { stateName } from "./state-name.ts";
import { duration } from "./terminal/figures.ts";
import { oneLine } from "./terminal/printable.ts";
import { table } from "./terminal/table.ts";

export function experimentText(experiment: Experiment): string {
  return `${experiment.name} ${progressLine(experiment, 0)}`;
}

export function experimentTable(experiments: readonly Experiment[]): string {
  if (experiments.length === 0) return `there is no experiment yet; "pretrain start <recipe>" makes one`;
  const rows = experiments.map(({ name, title, state, progress, createTime }) => [
    shortName(name),
    oneLine(title),
    stateName(state),
    progress === undefined ? "" : `${progress.microStep}/${progress.totalMicroSteps}`,
    progress?.lossNatsPerToken?.toFixed(4) ?? "",
    progress?.remainingSeconds === undefined || isFinal({ state }) ? "" : duration(progress.remainingSeconds),
    momentOf(createTime),
  ]);
  return table([["experiment", "title", "state", "step", "loss", "left", "created"], ...rows]);
}

export function experimentDetails(experiment: Experiment): string {
  const { progress, recipe, origin, earlyStop } = experiment;
  const facts: readonly (readonly [string, string | undefined])[] = [
    ["experiment", experiment.name],
    ["title", experiment.title],
    ["state", progressLine(experiment, 0)],
    ["message", experiment.message],
    ["purpose", recipe?.intent?.purpose],
    ["recipe", experiment.recipeSha256],
    ["priority", priorityName(experiment.priority)],
    ["attempts", String(experiment.attempt)],
    ["optimizer step", progress && `${progress.optimizerStep}/${progress.totalOptimizerSteps}`],
    ["parameters", experiment.parameters === 0n ? "" : experiment.parameters.toLocaleString("en-US")],
    ["dataset", experiment.dataset],
    ["goes on from", origin?.checkpoint || origin?.imported?.source],
    ["otherwise", origin?.differences.map(({ field, parent, fork }) => `${field}: ${parent} → ${fork}`).join("; ")],
    ["best before", earlyStop?.bestCheckpoint],
    ["created", momentOf(experiment.createTime)],
    ["first taken", momentOf(experiment.startTime)],
    ["first step", momentOf(experiment.trainingStartTime)],
    ["last step", momentOf(experiment.trainingEndTime)],
    ["ended", momentOf(experiment.endTime)],
  ];
  return table(facts.flatMap(([name, value = ""]) => (value === "" ? [] : [[name, oneLine(value)]])));
}

function priorityName(priority: Experiment_Priority): string {
  return priority === Experiment_Priority.UNSPECIFIED
    ? ""
    : (Experiment_PrioritySchema.value[priority]?.localName ?? "");
}

/** UTC, to the second. */
export function momentOf(time: Timestamp | undefined): string {
  return time === undefined
    ? ""
    : timestampDate(time)
        .toISOString()
        .replace("T", " ")
        .replace(/\.\d+Z$/, "Z");
}
