/** Where the time of the micro-steps went. Sums are kept and divided once. */
import { create } from "@bufbuild/protobuf";
import { type PhaseTimes, PhaseTimesSchema } from "@pretrain/proto";
import type { Step } from "./history.ts";
import type { StepReader } from "./step-reader.ts";

/** Sums over the first `limit` micro-steps that are read, or over all of them. */
export class StepTimes implements StepReader {
  readonly #limit: number;
  steps = 0;
  tokens = 0;
  positions = 0;
  #dataMs = 0;
  #forwardBackwardMs = 0;
  #optimizerMs = 0;
  #otherMs = 0;
  #totalMs = 0;

  constructor(limit = Number.POSITIVE_INFINITY) {
    this.#limit = limit;
  }

  read(step: Step): void {
    if (this.steps >= this.#limit) return;
    this.steps += 1;
    this.tokens += step.tokens;
    this.positions += step.positions;
    this.#dataMs += step.dataMs;
    this.#forwardBackwardMs += step.forwardBackwardMs;
    this.#optimizerMs += step.optimizerMs;
    this.#otherMs += step.otherMs;
    this.#totalMs += step.totalMs;
  }

  get totalSeconds(): number {
    return this.#totalMs / 1000;
  }

  /** The mean micro-step; undefined when there is none. */
  mean(): PhaseTimes | undefined {
    if (this.steps === 0) return undefined;
    return create(PhaseTimesSchema, {
      dataMs: this.#dataMs / this.steps,
      forwardBackwardMs: this.#forwardBackwardMs / this.steps,
      optimizerMs: this.#optimizerMs / this.steps,
      otherMs: this.#otherMs / this.steps,
      totalMs: this.#totalMs / this.steps,
    });
  }
}
