/**
 * Everything that the ledger has of an experiment, in an order that does not depend on how it came: claims by attempt, then the
 * events of each kind but `report`, by attempt, number, mark and name; of one identity first what was kept aside, then the event.
 */
import type { SQLInputValue, SQLOutputValue, StatementSync } from "node:sqlite";
import { events } from "@pretrain/events";
import { type ChainEntry, claimKind } from "./entry-digest.ts";
import type { Ledger } from "./open-ledger.ts";

/** What a record is computed from: its own announcement comes after it. */
export const canonicalKinds: readonly string[] = Object.keys(events)
  .filter((kind) => kind !== "report")
  .toSorted();

export interface CanonicalEntry extends ChainEntry {
  /** 32 bytes, as stored. */
  readonly digest: Uint8Array;
}

/** Read at once: the ledger may be written between two pages, as long as no entry of this experiment comes. */
const pageRows = 1000;

/** `digests` leaves the payloads out, which are most of what there is to read. */
type Content = "digests" | "payloads";

export function* canonicalEntries(ledger: Ledger, experiment: string, content: Content): Generator<CanonicalEntry> {
  yield* claims(ledger, experiment);
  for (const kind of canonicalKinds) {
    const aside = keptAside(ledger, experiment, kind);
    for (const entry of eventsOf(ledger, experiment, kind, content)) {
      if (aside.size > 0) yield* aside.get(placeOf(entry)) ?? [];
      yield entry;
    }
  }
}

/** How many there are. */
export function countOfEntries({ database }: Ledger, experiment: string): number {
  const row = database
    .prepare("SELECT COUNT(*) AS entries FROM entries WHERE experiment = ? AND kind <> 'report'")
    .get(experiment);
  return Number(row?.["entries"]);
}

type Row = SQLOutputValue[];
const columns = "attempt, number, nonce, detail, digest";

function claims({ database }: Ledger, experiment: string): CanonicalEntry[] {
  return rowsOf(
    database.prepare(`
      SELECT attempt, resumes_from AS number, nonce, '' AS detail, digest, '' FROM claims
      WHERE experiment = ? ORDER BY attempt`),
    [experiment],
  ).map((row) => entryOf(experiment, claimKind, row));
}

function* eventsOf({ database }: Ledger, experiment: string, kind: string, content: Content) {
  const page = database.prepare(`
    SELECT ${columns}, ${content === "payloads" ? "payload" : "''"} FROM events
    WHERE experiment = ? AND kind = ? AND (attempt, number, nonce, detail) > (?, ?, ?, ?)
    ORDER BY attempt, number, nonce, detail LIMIT ${pageRows}`);
  let place: SQLInputValue[] = [-1, 0, "", ""];
  for (;;) {
    const rows = rowsOf(page, [experiment, kind, ...place]);
    for (const row of rows) yield entryOf(experiment, kind, row);
    const last = rows.at(-1);
    if (last === undefined || rows.length < pageRows) return;
    place = last.slice(0, 4);
  }
}

/** By the identity that they claimed; those of one identity in the order of their texts. */
function keptAside({ database }: Ledger, experiment: string, kind: string): Map<string, CanonicalEntry[]> {
  const statement = database.prepare(`
    SELECT ${columns}, payload FROM contradictions WHERE experiment = ? AND kind = ? ORDER BY payload`);
  const entries = rowsOf(statement, [experiment, kind]).map((row) => entryOf(experiment, kind, row));
  return Map.groupBy(entries, placeOf);
}

function placeOf({ attempt, number, nonce, detail }: ChainEntry): string {
  return `${attempt}/${number}/${nonce}/${detail}`; // a mark has no slash in it
}

/** Lists instead of objects: they take half the time. */
function rowsOf(statement: StatementSync, values: readonly SQLInputValue[]): Row[] {
  statement.setReturnArrays(true);
  return statement.all(...values) as unknown as Row[];
}

function entryOf(experiment: string, kind: string, row: Row): CanonicalEntry {
  const [attempt, number, nonce, detail, digest, payload] = row;
  return {
    experiment,
    kind,
    attempt: Number(attempt),
    nonce: String(nonce),
    number: Number(number),
    detail: String(detail),
    payload: String(payload),
    digest: digest as Uint8Array,
  };
}
