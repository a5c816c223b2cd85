/** Whether the gradients stayed within bounds: how many optimizer steps were clipped, and the largest norm before clipping. */
import type { Step } from "./history.ts";
import type { StepReader } from "./step-reader.ts";

export class Gradients implements StepReader {
  /** Optimizer steps whose norm is in the ledger. */
  optimizerSteps = 0;
  clippedSteps = 0;
  largest: { readonly norm: number; readonly microStep: number } | undefined;

  read({ gradientNorm, clipScale, microStep }: Step): void {
    if (gradientNorm === null) return;
    this.optimizerSteps += 1;
    if (clipScale !== null && clipScale < 1) this.clippedSteps += 1;
    if (this.largest === undefined || gradientNorm > this.largest.norm)
      this.largest = { norm: gradientNorm, microStep };
  }
}
