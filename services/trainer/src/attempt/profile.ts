/** Means over the steps since the last sample. Sums with one division, when they are taken. */
import type { Step, StepTimes } from "../worker/protocol.ts";

const none: StepTimes = { dataMs: 0, forwardBackwardMs: 0, optimizerMs: 0, otherMs: 0, totalMs: 0 };

export interface ProfileMeans {
  readonly microSteps: number;
  readonly mean: StepTimes;
  readonly tokensPerSecond: number;
}

export class Profile {
  #sum = none;
  #microSteps = 0;
  #tokens = 0;

  add({ times, tokens }: Pick<Step, "times" | "tokens">): void {
    const sum = this.#sum;
    this.#sum = {
      dataMs: sum.dataMs + times.dataMs,
      forwardBackwardMs: sum.forwardBackwardMs + times.forwardBackwardMs,
      optimizerMs: sum.optimizerMs + times.optimizerMs,
      otherMs: sum.otherMs + times.otherMs,
      totalMs: sum.totalMs + times.totalMs,
    };
    this.#microSteps += 1;
    this.#tokens += tokens;
  }

  /** The means, and a new beginning. To be taken behind at least one step. */
  take(): ProfileMeans {
    const [sum, microSteps, tokens] = [this.#sum, this.#microSteps, this.#tokens];
    this.#sum = none;
    this.#microSteps = 0;
    this.#tokens = 0;
    const mean = {
      dataMs: sum.dataMs / microSteps,
      forwardBackwardMs: sum.forwardBackwardMs / microSteps,
      optimizerMs: sum.optimizerMs / microSteps,
      otherMs: sum.otherMs / microSteps,
      totalMs: sum.totalMs / microSteps,
    };
    return { microSteps, mean, tokensPerSecond: (1000 * tokens) / sum.totalMs };
  }
}
