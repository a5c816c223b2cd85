/**
 * What the evaluator finds when it compares two evaluations row by row. An evaluation never changes, so a pair is asked about once;
 * without an answer a comparison goes on without that interval.
 */
import { FailedPrecondition, messageOf, NotFound, PretrainError } from "@pretrain/errors";
import type { Log } from "@pretrain/observability";
import type { EvaluatorService } from "@pretrain/proto";
import type { PretrainClient } from "@pretrain/rpc";
import type { PairedDifference } from "./metric-rows.ts";

/** Of each pair the difference, or undefined where the evaluator says that there is none to be had. */
const maximumKept = 1000;
const patienceMs = 60_000;

export class PairedDifferences {
  readonly #evaluator: Pick<PretrainClient<typeof EvaluatorService>, "compareEvaluations">;
  readonly #log: Log;
  readonly #kept = new Map<string, PairedDifference | undefined>();

  constructor(evaluator: Pick<PretrainClient<typeof EvaluatorService>, "compareEvaluations">, log: Log) {
    this.#evaluator = evaluator;
    this.#log = log;
  }

  /** @param baseline `evaluations/{evaluation}` @param candidate the same */
  async between(baseline: string, candidate: string): Promise<PairedDifference | undefined> {
    const pair = `${baseline} ${candidate}`;
    if (this.#kept.has(pair)) return this.#kept.get(pair);
    try {
      const request = { baseline, candidate, listedRows: 1 };
      const { difference, interval } = await this.#evaluator.compareEvaluations(request, { timeoutMs: patienceMs });
      return this.#keep(pair, { difference, interval });
    } catch (error) {
      if (!(error instanceof PretrainError)) throw error;
      this.#log.info({ baseline, candidate, reason: messageOf(error) }, "no comparison row by row");
      const isForGood = error instanceof FailedPrecondition || error instanceof NotFound;
      return isForGood ? this.#keep(pair, undefined) : undefined;
    }
  }

  /** The oldest gives way. */
  #keep(pair: string, difference: PairedDifference | undefined): PairedDifference | undefined {
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= maximumKept && oldest !== undefined) this.#kept.delete(oldest);
    this.#kept.set(pair, difference);
    return difference;
  }
}
