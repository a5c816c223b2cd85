/** Which experiments the ledger knows. */
import type { Ledger } from "../ledger/open-ledger.ts";
import { readPayload } from "../ledger/read-history.ts";
import { isFinal } from "../record/execution.ts";

/** Canonical ids, the one whose first event is newest first. */
export function knownExperiments({ database }: Ledger, limit: number): string[] {
  const rows = database
    .prepare(`
      SELECT experiment FROM events WHERE kind = 'state' GROUP BY experiment
      ORDER BY MIN(time_ms) DESC, experiment DESC LIMIT ?`)
    .all(limit);
  return rows.map((row) => String(row["experiment"]));
}

/** True when the last transition led to a final state; without building a record. */
export function hasEnded({ database }: Ledger, experiment: string): boolean {
  const row = database
    .prepare("SELECT payload FROM events WHERE experiment = ? AND kind = 'state' ORDER BY number DESC LIMIT 1")
    .get(experiment);
  return row !== undefined && isFinal(readPayload("state", String(row["payload"])).to);
}

/** True when the ledger holds the announcement that this very record was written. */
export function isAnnounced({ database }: Ledger, experiment: string, sha256: string): boolean {
  const row = database
    .prepare("SELECT 1 FROM events WHERE experiment = ? AND kind = 'report' AND detail = ?")
    .get(experiment, sha256);
  return row !== undefined;
}
