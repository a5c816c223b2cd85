/** The accepted steps of an experiment as the events that they came in, some hundred at a time. */
import type { StepMetric } from "@pretrain/proto";
import { acceptedSteps } from "./accepted-steps.ts";
import type { Ledger } from "./open-ledger.ts";
import { readPayload } from "./read-history.ts";

export interface StepRange {
  /** Canonical id. */
  readonly experiment: string;
  /** Micro-steps, both included. */
  readonly from: number;
  readonly to: number;
  /** Steps at most. */
  readonly limit: number;
}

/** Ascending, each with every field and to its last bit. */
export function readStepEvents({ database }: Ledger, { experiment, from, to, limit }: StepRange): StepMetric[] {
  const rows = database
    .prepare(`
      SELECT e.payload FROM (${acceptedSteps("nonce")} LIMIT :limit) AS s CROSS JOIN events AS e
      WHERE e.experiment = :experiment AND e.kind = 'step' AND e.attempt = s.attempt AND e.number = s.microStep
        AND e.nonce = s.nonce
      ORDER BY s.microStep`)
    .all({ experiment, from, to, limit });
  return rows.map(({ payload }) => readPayload("step", String(payload)));
}
