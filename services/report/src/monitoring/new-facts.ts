/** What has come into the ledger behind a position, as far as monitoring counts it. */
import type { CheckpointWritten, StateChanged } from "@pretrain/proto";
import type { Ledger } from "../ledger/open-ledger.ts";
import { readPayload } from "../ledger/read-history.ts";

/** A micro-step, whichever attempt computed it and whether it counts for the record or not: it was computed. */
export interface ComputedStep {
  readonly experiment: string;
  readonly tokens: number;
  readonly dataMs: number;
  readonly forwardBackwardMs: number;
  readonly optimizerMs: number;
  readonly otherMs: number;
  readonly totalMs: number;
}

export interface NewFacts {
  /** Up to where has been looked. */
  readonly position: number;
  readonly steps: readonly ComputedStep[];
  readonly transitions: readonly StateChanged[];
  readonly checkpoints: readonly CheckpointWritten[];
}

/** Position of the newest event; 0 in an empty ledger. */
export function newestPosition({ database }: Ledger): number {
  return Number(database.prepare("SELECT MAX(position) AS newest FROM events").get()?.["newest"] ?? 0);
}

/** @param limit positions looked at, at most */
export function readNewFacts(ledger: Ledger, behind: number, limit: number): NewFacts {
  const position = Math.min(newestPosition(ledger), behind + limit);
  const range = { behind, position };
  const transitions: StateChanged[] = [];
  const checkpoints: CheckpointWritten[] = [];
  for (const { kind, payload } of ledger.database.prepare(rareEvents).all(range)) {
    if (kind === "state") transitions.push(readPayload("state", String(payload)));
    else checkpoints.push(readPayload("checkpoint", String(payload)));
  }
  return { position, steps: ledger.database.prepare(steps).all(range).map(stepOf), transitions, checkpoints };
}

const rareEvents = `
  SELECT kind, payload FROM events
  WHERE position > :behind AND position <= :position AND kind IN ('state', 'checkpoint') ORDER BY position`;

/** Columns of the narrow table: an event's text would have to be read for each step. */
const steps = `
  SELECT e.experiment, s.tokens, s.data_ms, s.forward_backward_ms, s.optimizer_ms, s.other_ms, s.total_ms
  FROM events AS e JOIN steps AS s
    ON s.experiment = e.experiment AND s.micro_step = e.number AND s.attempt = e.attempt AND s.nonce = e.nonce
  WHERE e.position > :behind AND e.position <= :position AND e.kind = 'step'`;

function stepOf(row: Readonly<Record<string, unknown>>): ComputedStep {
  return {
    experiment: String(row["experiment"]),
    tokens: Number(row["tokens"]),
    dataMs: Number(row["data_ms"]),
    forwardBackwardMs: Number(row["forward_backward_ms"]),
    optimizerMs: Number(row["optimizer_ms"]),
    otherMs: Number(row["other_ms"]),
    totalMs: Number(row["total_ms"]),
  };
}
