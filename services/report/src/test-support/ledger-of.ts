/** Test support: a ledger in memory that holds these events. */
import assert from "node:assert/strict";
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

/** Through the ledger and out again. */
export function historyOf(events: readonly LedgerEvent[], experiment = "1-4-0"): History {
  const history = readHistory(ledgerOf(events), experiment);
  assert.ok(history, `no event of ${experiment}`);
  return history;
}
