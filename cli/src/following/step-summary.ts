/** One line for each interval of micro-steps. Always the same fields in the same order, so that a script can read it. */
import type { StepMetric } from "@pretrain/proto";
import { duration } from "../terminal/figures.ts";

export interface Totals {
  readonly microSteps: bigint;
  readonly epochs: number;
}

/** Micro-steps since the last line, as sums: what is a mean is divided once, when the line is written. */
export class StepSummary {
  readonly #interval: number;
  #steps: StepMetric[] = [];

  /** @param interval micro-steps of a line: it is written behind each micro-step that it divides, and behind the last one */
  constructor(interval: number) {
    this.#interval = interval;
  }

  /** The line that this step completes, if it does. */
  add(step: StepMetric, totals: Totals): string | undefined {
    this.#steps.push(step);
    if (step.microStep % BigInt(this.#interval) !== 0n && step.microStep !== totals.microSteps) return undefined;
    const line = summaryLine(this.#steps, totals);
    this.#steps = [];
    return line;
  }
}

/**
 * Loss in nats per token, `tokens/s` in real tokens and `data_wait` in seconds are over all given steps; learning rate is the last
 * one, the norm of the gradient the last that there was.
 */
export function summaryLine(steps: readonly StepMetric[], totals: Totals): string {
  const last = steps.at(-1);
  if (last === undefined) return "";
  const sum = (of: (step: StepMetric) => number) => steps.reduce((total, step) => total + of(step), 0);
  const seconds = sum(({ times }) => times?.totalMs ?? 0) / 1000;
  const tokens = sum((step) => Number(step.tokens));
  const norm = steps.findLast(({ gradientNorm }) => gradientNorm !== undefined)?.gradientNorm;
  const left = (Number(totals.microSteps - last.microStep) * seconds) / steps.length;
  return [
    `step: ${last.microStep}/${totals.microSteps || "?"}`,
    `epoch: ${last.epoch}/${totals.epochs || "?"}`,
    `loss: ${(sum(({ lossNats }) => lossNats) / sum(({ lossTokens }) => Number(lossTokens))).toFixed(4)}`,
    `grad_norm: ${norm === undefined ? "-" : norm.toFixed(4)}`,
    `lr: ${last.learningRate.toExponential(4)}`,
    `tokens/s: ${seconds > 0 ? Math.round(tokens / seconds) : "-"}`,
    `data_wait: ${(sum(({ times }) => times?.dataMs ?? 0) / 1000).toFixed(3)}`,
    `left: ${totals.microSteps > 0n && seconds > 0 ? duration(left) : "-"}`,
  ].join(" ");
}
