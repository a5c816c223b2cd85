/** Test support: changes of a ledger by somebody who has its file, and knows how it is written. */
import assert from "node:assert/strict";
import { type ChainEntry, entryDigest, nextLink, noLink } from "../ledger/entry-digest.ts";
import type { Ledger } from "../ledger/open-ledger.ts";
import { rowChecksum } from "../ledger/row-checksum.ts";
import { type CheckedTable, checkedColumns } from "../ledger/tables.ts";

/** The payload of one event, with the checksum and the digest that belong to it. */
export function rewriteEvent({ database }: Ledger, where: string, change: (payload: string) => string): void {
  const row = database.prepare(`SELECT * FROM events WHERE ${where}`).get();
  assert.ok(row, where);
  const payload = change(String(row["payload"]));
  assert.notEqual(payload, row["payload"], "nothing was changed");
  const digest = entryDigest({ ...row, payload } as unknown as ChainEntry);
  database
    .prepare("UPDATE events SET payload = ?, digest = ? WHERE position = ?")
    .run(payload, digest, Number(row["position"]));
  writeChecksums({ database }, "events");
}

/** As if nobody had touched a row of the table. */
export function writeChecksums({ database }: Pick<Ledger, "database">, table: CheckedTable): void {
  const key = table === "events" ? "position" : "micro_step";
  const put = database.prepare(`UPDATE ${table} SET checksum = ? WHERE ${key} = ?`);
  for (const row of database.prepare(`SELECT * FROM ${table}`).all()) {
    put.run(rowChecksum(checkedColumns[table].map((column) => row[column])), Number(row[key]));
  }
}

/** The chain of arrival again from the beginning, over what is there now. */
export function forgeLinks({ database }: Ledger, experiment: string): void {
  const digests = database.prepare("SELECT digest FROM entries WHERE experiment = ?").all(experiment);
  database.prepare("DELETE FROM links WHERE experiment = ?").run(experiment);
  let head: Uint8Array = noLink;
  for (const [index, { digest }] of digests.entries()) {
    head = nextLink(head, digest as Uint8Array);
    database
      .prepare("INSERT INTO links VALUES (?, ?, ?, ?, ?)")
      .run(experiment, index + 1, "an event", digest as Uint8Array, head);
  }
}
