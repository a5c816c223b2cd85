/** The level that training ended at: the last tenth of the run, at most 1,000 micro-steps. */
import type { Step } from "./history.ts";
import { leastSquaresLine } from "./least-squares.ts";
import { lossOf, type StepReader } from "./step-reader.ts";

const longestTail = 1000;

export interface TailSummary {
  readonly microSteps: number;
  /** Nats over tokens. */
  readonly loss: number | undefined;
  /** Standard deviation of each micro-step's nats per token; undefined for fewer than two. */
  readonly deviation: number | undefined;
  /** In nats per token and 1,000 micro-steps. */
  readonly slope: number | undefined;
}

export class LossTail implements StepReader {
  /** The last thousand with a target, the oldest one overwritten first. */
  readonly #steps: Step[] = [];
  #read = 0;

  read(step: Step): void {
    if (lossOf(step) === undefined) return;
    this.#steps[this.#read % longestTail] = step;
    this.#read += 1;
  }

  summary(): TailSummary {
    const tail = this.#tail();
    const losses = tail.map((step) => lossOf(step) ?? 0);
    const nats = tail.reduce((sum, { lossNats }) => sum + lossNats, 0);
    const tokens = tail.reduce((sum, { lossTokens }) => sum + lossTokens, 0);
    const line = leastSquaresLine(tail.map(({ microStep }, index) => [microStep, losses[index] ?? 0]));
    return {
      microSteps: tail.length,
      loss: tokens === 0 ? undefined : nats / tokens,
      deviation: deviationOf(losses),
      slope: line && line.slope * 1000,
    };
  }

  #tail(): Step[] {
    const oldest = this.#read % Math.max(1, this.#steps.length);
    const inOrder = [...this.#steps.slice(oldest), ...this.#steps.slice(0, oldest)];
    const length = Math.min(longestTail, Math.ceil(this.#read / 10));
    return length === 0 ? [] : inOrder.slice(-length);
  }
}

function deviationOf(values: readonly number[]): number | undefined {
  if (values.length < 2) return undefined;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}
