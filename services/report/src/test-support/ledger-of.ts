/** Test support: a ledger in memory that holds these events. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { EventWriter } from "../ledger/event-writer.ts";
import type { LedgerEvent } from "../ledger/ledger-event.ts";
import { type Ledger, openLedger } from "../ledger/open-ledger.ts";
import { readHistory } from "../ledger/read-history.ts";
import type { History } from "../record/history.ts";

export function ledgerOf(events: readonly LedgerEvent[]): Ledger {
  const ledger = openLedger(":memory:");
  new EventWriter(ledger).append(events);
  return ledger;
}

/** Everything that a ledger says, whatever the order in which it came; equal for ledgers that say the same. */
export function contentOf({ database }: Ledger): unknown[] {
  return ["events", "steps", "marks", "claims", "contradictions"].map((table) => {
    const columns = database.prepare(`SELECT name FROM pragma_table_info(?) WHERE name <> 'position'`).all(table);
    const names = columns.map(({ name }) => (name === "digest" ? "hex(digest)" : String(name))).join(", ");
    return database.prepare(`SELECT ${names} FROM ${table} ORDER BY ${names}`).all();
  });
}

/** SHA-256 over its content. */
export function digestOf(ledger: Ledger): string {
  return createHash("sha256")
    .update(JSON.stringify(contentOf(ledger)))
    .digest("hex");
}

/** Through the ledger and out again. */
export function historyOf(events: readonly LedgerEvent[], experiment = "1-4-0"): History {
  const history = readHistory(ledgerOf(events), experiment);
  assert.ok(history, `no event of ${experiment}`);
  return history;
}
