/** NOT_FINITE: micro-steps whose loss or gradient norm is infinite. The trainer ends a run at such a step; its last word says so. */
import { Experiment_Reason, Warning_Kind as Kind, type StateChanged } from "@pretrain/proto";
import type { Step } from "../history.ts";
import type { StepRange } from "../missing-steps.ts";
import { lossOf, type StepReader } from "../step-reader.ts";
import type { Found } from "./block-rules.ts";

const maximumRanges = 20;

export class NotFiniteSteps implements StepReader {
  /** The first twenty ranges of neighbours. */
  readonly ranges: StepRange[] = [];

  read(step: Step): void {
    const isFinite = Number.isFinite(lossOf(step) ?? 0) && Number.isFinite(step.gradientNorm ?? 0);
    if (isFinite) return;
    const last = this.ranges.at(-1);
    if (last?.last === step.microStep - 1) this.ranges[this.ranges.length - 1] = { ...last, last: step.microStep };
    else if (this.ranges.length < maximumRanges) this.ranges.push({ first: step.microStep, last: step.microStep });
  }
}

/** @param lastMicroStep of the run so far: what is not finite is the one behind it, which no event holds */
export function notFinite(
  { ranges }: NotFiniteSteps,
  transitions: readonly StateChanged[],
  lastMicroStep: number,
): Found[] {
  const found = ranges.map(({ first, last }) => ({ first, last }));
  const isEnded = transitions.at(-1)?.reason === Experiment_Reason.NOT_FINITE;
  const all = isEnded ? [...found, { first: lastMicroStep + 1, last: lastMicroStep + 1 }] : found;
  return all.map(({ first, last }) => ({
    kind: Kind.NOT_FINITE,
    firstMicroStep: BigInt(first),
    lastMicroStep: BigInt(last),
  }));
}
