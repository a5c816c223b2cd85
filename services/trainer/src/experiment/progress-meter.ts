/** How fast training is and how long it will take, from the last steps. Knows no clock: times come with the steps. */

export interface MeasuredStep {
  readonly durationMs: number;
  /** Real tokens of the step. */
  readonly tokens: number;
}

export interface Pace {
  readonly tokensPerSecond: number;
  readonly remainingSeconds: number;
}

const window = 50;

export class ProgressMeter {
  readonly #steps: MeasuredStep[] = [];

  /** One step more; the fifty-first before it is forgotten. */
  add(step: MeasuredStep): void {
    this.#steps.push(step);
    if (this.#steps.length > window) this.#steps.shift();
  }

  /** Undefined before the first step. @param remainingSteps micro-steps that are left */
  pace(remainingSteps: number): Pace | undefined {
    const durationMs = this.#steps.reduce((sum, step) => sum + step.durationMs, 0);
    if (durationMs === 0) return undefined;
    const tokens = this.#steps.reduce((sum, step) => sum + step.tokens, 0);
    const meanStepMs = durationMs / this.#steps.length;
    return { tokensPerSecond: (1000 * tokens) / durationMs, remainingSeconds: (remainingSteps * meanStepMs) / 1000 };
  }
}
