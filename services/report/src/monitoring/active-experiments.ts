/** Which experiments have not ended, and where each is: what monitoring shows by name. */
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { Experiment_State as State } from "@pretrain/proto";
import type { Ledger } from "../ledger/open-ledger.ts";
import { readEvents } from "../ledger/read-history.ts";
import { hasEnded, knownExperiments } from "../reports/known-experiments.ts";

/** Looked through when the service starts; of more experiments the oldest are not shown until they change. */
const lookedThrough = 10_000;

export interface Standing {
  readonly isRunning: boolean;
  /** Of the last micro-step, in nats per token. */
  readonly loss: number | undefined;
  readonly microSteps: number;
  /** 0: no attempt has said it yet. */
  readonly plannedMicroSteps: number;
  /** When the last step ended or the state changed, whichever was later; in seconds since 1970. */
  readonly lastProgressSeconds: number;
  /** Of the last checkpoint. */
  readonly checkpointBytes: number | undefined;
}

export class ActiveExperiments {
  readonly #ledger: Ledger;
  readonly #limit: number;
  /** The one that changed last is last. */
  readonly #active = new Set<string>();

  /** @param limit experiments that are shown at once: those that changed last */
  constructor(ledger: Ledger, limit: number) {
    [this.#ledger, this.#limit] = [ledger, limit];
    const known = knownExperiments(ledger, lookedThrough).reverse();
    for (const experiment of known) if (!hasEnded(ledger, experiment)) this.#active.add(experiment);
  }

  /** The ledger has a new transition of it, which need not be its last one: they come in any order. */
  changed(experiment: string): void {
    this.#active.delete(experiment);
    if (!hasEnded(this.#ledger, experiment)) this.#active.add(experiment);
  }

  shown(): ReadonlySet<string> {
    return new Set([...this.#active].slice(-this.#limit));
  }

  standing(experiment: string): Standing {
    const transition = readEvents(this.#ledger, experiment, "state").at(-1);
    const step = this.#lastStep(experiment);
    const checkpoint = readEvents(this.#ledger, experiment, "checkpoint").at(-1)?.checkpoint;
    const times = [step?.timeMs ?? 0, transition?.time === undefined ? 0 : timestampMs(transition.time)];
    return {
      isRunning: transition?.to === State.RUNNING,
      loss: step && step.lossTokens > 0 ? step.lossNats / step.lossTokens : undefined,
      microSteps: step?.microStep ?? 0,
      plannedMicroSteps: Number(readEvents(this.#ledger, experiment, "attempt").at(-1)?.totalMicroSteps ?? 0n),
      lastProgressSeconds: Math.max(...times) / 1000,
      checkpointBytes: checkpoint?.parts.reduce((sum, { sizeBytes }) => sum + Number(sizeBytes), 0),
    };
  }

  /** The last one of the newest attempt that has any, by the mark that counts: found at the end of an index. */
  #lastStep(experiment: string) {
    const row = this.#ledger.database.prepare(lastStep).get({ experiment });
    if (row === undefined) return undefined;
    return {
      microStep: Number(row["micro_step"]),
      lossNats: Number(row["loss_nats"]),
      lossTokens: Number(row["loss_tokens"]),
      timeMs: Number(row["time_ms"]),
    };
  }
}

const lastStep = `
  SELECT s.micro_step, s.loss_nats, s.loss_tokens, s.time_ms FROM (
    SELECT attempt, number, nonce FROM events
    WHERE experiment = :experiment AND kind = 'step'
      AND (attempt, nonce) IN (SELECT attempt, nonce FROM counted WHERE experiment = :experiment)
    ORDER BY attempt DESC, number DESC LIMIT 1) AS e
  JOIN steps AS s
    ON s.experiment = :experiment AND s.micro_step = e.number AND s.attempt = e.attempt AND s.nonce = e.nonce`;
