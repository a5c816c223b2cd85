/** All that the record says about steps comes from one pass over them, in which every reader sees every step. */
import { type LossTotal, meanNatsPerToken } from "@pretrain/measures";
import type { Step } from "./history.ts";

export interface StepReader {
  read(step: Step): void;
}

/** Shows each step to each reader, in order. 173,385 steps are read without being held. */
export function readSteps(steps: Iterable<Step>, readers: readonly StepReader[]): void {
  for (const step of steps) {
    for (const reader of readers) reader.read(step);
  }
}

/** Nats per token of one step; undefined when it had no target. */
export function lossOf(step: Step): number | undefined {
  return meanNatsPerToken(lossTotalOf(step));
}

export function lossTotalOf({ lossNats, lossTokens }: Step): LossTotal {
  return { nats: lossNats, tokens: lossTokens };
}
