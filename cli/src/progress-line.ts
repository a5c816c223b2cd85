/** One line that says how far an experiment is. Fields in a fixed order, `name: value`, so that a script can read it too. */
import type { Experiment } from "@pretrain/proto";
import { stateName } from "./state-name.ts";

const barWidth = 24;

/** @param columns width of the terminal; the bar is left out, and nothing is cut, when it is 0. */
export function progressLine(experiment: Experiment, columns: number): string {
  const state = stateName(experiment.state).toLowerCase();
  const progress = experiment.progress;
  if (progress === undefined || progress.totalMicroSteps === 0n)
    return cut(`${state} ${experiment.message}`.trimEnd(), columns);
  const share = Number(progress.microStep) / Number(progress.totalMicroSteps);
  const fields = [
    state,
    columns > 0 ? bar(share) : undefined,
    `step: ${progress.microStep}/${progress.totalMicroSteps}`,
    `epoch: ${progress.epoch}/${progress.epochs}`,
    progress.lossNatsPerToken === undefined ? undefined : `loss: ${progress.lossNatsPerToken.toFixed(4)}`,
    `tokens/s: ${Math.round(progress.tokensPerSecond)}`,
    progress.remainingSeconds === undefined ? undefined : `left: ${duration(progress.remainingSeconds)}`,
  ];
  return cut(fields.filter((field) => field !== undefined).join(" "), columns);
}

function bar(share: number): string {
  const full = Math.round(share * barWidth);
  return `[${"█".repeat(full)}${"░".repeat(barWidth - full)}]`;
}

function cut(line: string, columns: number): string {
  return columns > 0 ? line.slice(0, columns - 1) : line;
}

/** 75 s as `1m15s`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  if (hours > 0) return `${hours}h${String(minutes).padStart(2, "0")}m`;
  return minutes > 0 ? `${minutes}m${String(rest).padStart(2, "0")}s` : `${rest}s`;
}
