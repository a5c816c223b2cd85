/** What each epoch cost and brought. */
import { create } from "@bufbuild/protobuf";
import { type EpochSummary, EpochSummarySchema } from "@pretrain/proto";
import type { Step } from "./history.ts";
import { lossOf, type StepReader } from "./step-reader.ts";

interface Totals {
  microSteps: number;
  nats: number;
  tokens: number;
  lastLoss: number;
  totalMs: number;
}

export class Epochs implements StepReader {
  readonly #byEpoch = new Map<number, Totals>();

  read(step: Step): void {
    const totals = this.#totalsOf(step.epoch);
    totals.microSteps += 1;
    totals.nats += step.lossNats;
    totals.tokens += step.lossTokens;
    totals.lastLoss = lossOf(step) ?? totals.lastLoss;
    totals.totalMs += step.totalMs;
  }

  #totalsOf(epoch: number): Totals {
    const known = this.#byEpoch.get(epoch);
    if (known !== undefined) return known;
    const fresh = { microSteps: 0, nats: 0, tokens: 0, lastLoss: 0, totalMs: 0 };
    this.#byEpoch.set(epoch, fresh);
    return fresh;
  }

  /** Epochs in which at least one target was scored, ascending. */
  summaries(): EpochSummary[] {
    return [...this.#byEpoch.entries()]
      .filter(([, { tokens }]) => tokens > 0)
      .sort(([a], [b]) => a - b)
      .map(([epoch, { microSteps, nats, tokens, lastLoss, totalMs }]) =>
        create(EpochSummarySchema, {
          epoch,
          microSteps: BigInt(microSteps),
          meanLoss: nats / tokens,
          lastLoss,
          durationSeconds: totalMs / 1000,
        }),
      );
  }
}
