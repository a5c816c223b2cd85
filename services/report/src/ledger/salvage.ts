/** What can still be believed of a damaged ledger: the streams forget after a while, so it may be the only copy left. */
import { DatabaseSync, type SQLOutputValue } from "node:sqlite";
import { events } from "@pretrain/events";
import { EventWriter } from "./event-writer.ts";
import type { LedgerEvent } from "./ledger-event.ts";
import type { Ledger } from "./open-ledger.ts";
import { readPayload } from "./read-history.ts";
import { rowChecksum } from "./row-checksum.ts";
import { checkedColumns } from "./tables.ts";

/** Rows read at once; where a page cannot be read, so many are given up. */
const rowsAtOnce = 100;

export interface Salvage {
  /** Events that were copied. */
  readonly events: number;
  /** Places in the damaged file that could not be read, or held something else than was written. */
  readonly unreadable: number;
}

/** Copies every event of the file at `path` that is as it was written. Nothing is believed of a file that is no database. */
export function salvage(path: string, into: Ledger): Salvage {
  const found = { events: 0, unreadable: 0 };
  const writer = new EventWriter(into);
  try {
    using damaged = opened(path);
    for (let position = 0, last = lastPosition(damaged.database); position < last; position += rowsAtOnce) {
      const rows = rowsAfter(damaged.database, position);
      const readable = rows.flatMap(eventOf);
      found.unreadable += rows.length - readable.length;
      found.events += writer.append(readable).changed.size > 0 ? readable.length : 0;
    }
  } catch (error) {
    if (!isOfSqlite(error)) throw error;
    found.unreadable += 1;
  }
  return found;
}

function opened(path: string) {
  const database = new DatabaseSync(path, { readOnly: true });
  return { database, [Symbol.dispose]: () => database.close() };
}

function lastPosition(database: DatabaseSync): number {
  return Number(database.prepare("SELECT MAX(position) AS last FROM events NOT INDEXED").get()?.["last"] ?? 0);
}

/** One row without content stands for all that could not be read. */
function rowsAfter(database: DatabaseSync, position: number): Record<string, SQLOutputValue>[] {
  try {
    return database
      .prepare("SELECT * FROM events NOT INDEXED WHERE position > ? AND position <= ? ORDER BY position")
      .all(position, position + rowsAtOnce);
  } catch (error) {
    if (isOfSqlite(error)) return [{}];
    throw error;
  }
}

/** Ledgers of version 1 had no checksums: what reads as an event of that kind is believed then. */
function eventOf(row: Record<string, SQLOutputValue>): LedgerEvent[] {
  const isWhole =
    !("checksum" in row) || row["checksum"] === rowChecksum(checkedColumns.events.map((column) => row[column]));
  const kind = String(row["kind"]);
  if (!isWhole || !isKind(kind)) return [];
  try {
    return [{ kind, message: readPayload(kind, String(row["payload"])) } as LedgerEvent];
  } catch {
    return []; // no event after all
  }
}

function isKind(kind: string): kind is keyof typeof events {
  return Object.hasOwn(events, kind);
}

function isOfSqlite(error: unknown): boolean {
  return error instanceof Error && "errcode" in error;
}
