/**
 * Whether a ledger holds what was written to it. SQLite checks the shape of its file and not the values in it, so every row
 * carries a checksum, every event a link, and the tables' own definitions are compared with those of this program.
 */
import { DatabaseSync, type SQLOutputValue } from "node:sqlite";
import { messageOf } from "@pretrain/errors";
import { faultOfLinks } from "./links-fault.ts";
import type { Ledger } from "./open-ledger.ts";
import { rowChecksum } from "./row-checksum.ts";
import { type CheckedTable, checkedColumns, tables } from "./tables.ts";

/** What is wrong with the ledger; undefined when every bit that matters is as it was written. Reads the whole file. */
export function ledgerFault({ database }: Pick<Ledger, "database">): string | undefined {
  try {
    return (
      faultOfShape(database) ??
      faultOfDefinitions(database) ??
      faultOfRows(database) ??
      faultOfLinks({ database }) ??
      faultOfStepCount(database)
    );
  } catch (error) {
    return messageOf(error); // a value that cannot even be read
  }
}

function faultOfShape(database: DatabaseSync): string | undefined {
  const found = String(database.prepare("PRAGMA integrity_check(1)").get()?.["integrity_check"]);
  return found === "ok" ? undefined : found;
}

function faultOfDefinitions(database: DatabaseSync): string | undefined {
  const own = new DatabaseSync(":memory:");
  own.exec(tables);
  const isSame = JSON.stringify(definitions(own)) === JSON.stringify(definitions(database));
  own.close();
  return isSame ? undefined : "the definitions of its tables were changed";
}

function definitions(database: DatabaseSync): unknown[] {
  return database.prepare("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name").all();
}

function faultOfRows(database: DatabaseSync): string | undefined {
  for (const [table, columns] of Object.entries(checkedColumns)) {
    const statement = database.prepare(`SELECT ${columns.join(", ")}, checksum FROM ${table}`);
    statement.setReturnArrays(true);
    for (const row of statement.iterate()) {
      if (!isWhole(Object.values(row))) return `a row of the table "${table}" was changed`;
    }
  }
  return undefined;
}

function isWhole(row: readonly SQLOutputValue[]): boolean {
  return row.at(-1) === rowChecksum(row.slice(0, -1));
}

/** Of each event of a step there is a row of the table of steps. */
function faultOfStepCount(database: DatabaseSync): string | undefined {
  const steps = count(database, "steps");
  const events = count(database, "events", "WHERE kind = 'step'");
  return steps === events ? undefined : `it has ${events} events of micro-steps and ${steps} micro-steps`;
}

function count(database: DatabaseSync, table: CheckedTable, where = ""): number {
  return Number(database.prepare(`SELECT COUNT(*) AS rows FROM ${table} ${where}`).get()?.["rows"]);
}
