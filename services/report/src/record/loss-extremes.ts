/** The first, the last and the smallest loss of a run, and its largest rise from one micro-step to the next. */
import type { Step } from "./history.ts";
import { lossOf, type StepReader } from "./step-reader.ts";

/** A loss, in nats per token, with the step that it belongs to. */
export interface LossAt {
  readonly loss: number;
  readonly step: Step;
}

export class LossExtremes implements StepReader {
  first: LossAt | undefined;
  last: LossAt | undefined;
  /** The earliest one where several are equal. */
  best: LossAt | undefined;
  /** `rise` in nats per token; only between neighbours, so that a gap makes none. */
  largestRise: { readonly rise: number; readonly step: Step } | undefined;

  read(step: Step): void {
    const loss = lossOf(step);
    if (loss === undefined) return;
    this.#readRise(loss, step);
    this.first ??= { loss, step };
    if (this.best === undefined || loss < this.best.loss) this.best = { loss, step };
    this.last = { loss, step };
  }

  #readRise(loss: number, step: Step): void {
    if (this.last?.step.microStep !== step.microStep - 1) return;
    const rise = loss - this.last.loss;
    if (rise > 0 && rise > (this.largestRise?.rise ?? 0)) this.largestRise = { rise, step };
  }

  /** `(first - last) / first`. */
  reduction(): number | undefined {
    if (this.first === undefined || this.last === undefined || this.first.loss === 0) return undefined;
    return (this.first.loss - this.last.loss) / this.first.loss;
  }
}
