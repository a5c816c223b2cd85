/** Micro-steps of an experiment that have come into the ledger behind a place. */
import type { StepMetric } from "@pretrain/proto";
import { isAccepted } from "../record/accepted.ts";
import type { Ledger } from "./open-ledger.ts";
import { readPayload, readResumptions } from "./read-history.ts";

export interface NewSteps {
  /** Position of the newest event that was looked at. */
  readonly position: number;
  /** An attempt began: steps that were read before may not count any more. */
  readonly hasAttempt: boolean;
  /** Those of the attempts that count, as they came. */
  readonly steps: readonly StepMetric[];
}

/** @returns undefined when there are more than `limit` */
export function readNewSteps(ledger: Ledger, experiment: string, place: number, limit: number): NewSteps | undefined {
  const rows = ledger.database
    .prepare(`
      SELECT position, kind, payload FROM events
      WHERE position > :place AND experiment = :experiment AND kind IN ('step', 'attempt')
        AND (attempt, nonce) IN (SELECT attempt, nonce FROM counted WHERE experiment = :experiment)
      ORDER BY position LIMIT :limit`)
    .all({ place, experiment, limit: limit + 1 });
  if (rows.length > limit) return undefined;
  const resumptions = readResumptions(ledger, experiment);
  const steps = rows
    .filter(({ kind }) => kind === "step")
    .map(({ payload }) => readPayload("step", String(payload)))
    .filter(({ attempt, microStep }) => isAccepted({ attempt, microStep: Number(microStep) }, resumptions));
  const position = Math.max(place, Number(rows.at(-1)?.["position"] ?? 0));
  return { position, hasAttempt: rows.some(({ kind }) => kind === "attempt"), steps };
}
