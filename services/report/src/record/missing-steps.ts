/** Numbers of micro-steps that should be in the ledger and are not. */
import type { Step } from "./history.ts";
import type { StepReader } from "./step-reader.ts";

/** Both ends included. */
export interface StepRange {
  readonly first: number;
  readonly last: number;
}

const maximumRanges = 20;

export class MissingSteps implements StepReader {
  /** The first twenty ranges. */
  readonly ranges: StepRange[] = [];
  /** Missing numbers in all ranges, also in those that are not listed. */
  missing = 0;
  /** The last micro-step read; before the first, the one that the run goes on from. */
  last: number;

  /** @param before micro-steps that are not the run's own: a fork begins behind its parent's */
  constructor(before: number) {
    this.last = before;
  }

  read(step: Step): void {
    this.#expect(step.microStep);
    this.last = step.microStep;
  }

  #expect(microStep: number): void {
    if (microStep === this.last + 1) return;
    this.missing += microStep - this.last - 1;
    if (this.ranges.length < maximumRanges) this.ranges.push({ first: this.last + 1, last: microStep - 1 });
  }
}
