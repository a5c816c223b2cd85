/**
 * Up to where each stream is in the ledger for certain. It may lag behind, never run ahead: a ledger that lost its end (a copy
 * of yesterday, a damaged write-ahead log) lost the newer positions with it, and asks the broker from where it really is.
 */
import type { Ledger } from "./open-ledger.ts";
import { checkedRow } from "./row-checksum.ts";
import { storeError } from "./store-error.ts";

/** 0: nothing is certain. */
export function positionIn({ database }: Ledger, stream: string): number {
  const row = database.prepare("SELECT sequence FROM positions WHERE stream = ?").get(stream);
  return Number(row?.["sequence"] ?? 0);
}

/** @param sequence every event up to it must have been committed before. @throws as `EventWriter.append` */
export function setPosition({ database }: Ledger, stream: string, sequence: number): void {
  try {
    database.prepare("INSERT OR REPLACE INTO positions VALUES (?, ?, ?)").run(...checkedRow([stream, sequence]));
  } catch (error) {
    throw storeError(error);
  }
}
