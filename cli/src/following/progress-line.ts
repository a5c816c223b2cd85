/** One line that says how far an experiment is. Fields in a fixed order, `name: value`, so that a script can read it too. */
import type { Experiment } from "@pretrain/proto";
import { stateName } from "../state-name.ts";
import { duration } from "../terminal/figures.ts";
import { oneLine } from "../terminal/printable.ts";
import { cut } from "../terminal/table.ts";
import { isFinal } from "./streams.ts";

const barWidth = 24;

/** @param columns width of the terminal; the bar is left out, and nothing is cut, when it is 0. */
export function progressLine(experiment: Experiment, columns: number): string {
  const state = stateName(experiment.state).toLowerCase();
  const progress = experiment.progress;
  if (progress === undefined || progress.totalMicroSteps === 0n)
    return fitted(`${state} ${oneLine(experiment.message)}`.trimEnd(), columns);
  const share = Number(progress.microStep) / Number(progress.totalMicroSteps);
  const fields = [
    state,
    columns > 0 ? bar(share) : undefined,
    `step: ${progress.microStep}/${progress.totalMicroSteps}`,
    `epoch: ${progress.epoch}/${progress.epochs}`,
    progress.lossNatsPerToken === undefined ? undefined : `loss: ${progress.lossNatsPerToken.toFixed(4)}`,
    `tokens/s: ${Math.round(progress.tokensPerSecond)}`,
    progress.remainingSeconds === undefined || isFinal(experiment)
      ? undefined
      : `left: ${duration(progress.remainingSeconds)}`,
  ];
  return fitted(fields.filter((field) => field !== undefined).join(" "), columns);
}

function bar(share: number): string {
  const full = Math.round(share * barWidth);
  return `[${"█".repeat(full)}${"░".repeat(barWidth - full)}]`;
}

function fitted(line: string, columns: number): string {
  return columns > 0 ? cut(line, columns - 1) : line;
}
