/** The file of the ledger: opened, or made when it is not there. One process writes it. */
import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { FailedPrecondition } from "@pretrain/errors";
import { StepChanges } from "./step-changes.ts";
import { storeError } from "./store-error.ts";
import { tables, tablesVersion } from "./tables.ts";

export interface Ledger extends Disposable {
  readonly database: DatabaseSync;
  /** Eight hex digits, made with the file. */
  readonly id: string;
  readonly stepChanges: StepChanges;
}

/**
 * @param path of the file; its folder is made. `:memory:` for a ledger that ends with the process.
 * @throws FailedPrecondition LEDGER_DAMAGED when the file is no ledger or its shape is broken, LEDGER_OUTDATED and
 *   LEDGER_VERSION when it is of an earlier or a later version
 * @throws ResourceExhausted when the disk is full
 */
export function openLedger(path: string): Ledger {
  if (path !== ":memory:") mkdirSync(dirname(path), { recursive: true });
  const database = open(path);
  try {
    configure(database);
    prepareTables(database, path);
    const stepChanges = new StepChanges();
    return { database, id: idOf(database), stepChanges, [Symbol.dispose]: () => database.close() };
  } catch (error) {
    database.close();
    throw storeError(error, path);
  }
}

function open(path: string): DatabaseSync {
  try {
    return new DatabaseSync(path, { timeout: 5000 });
  } catch (error) {
    throw storeError(error, path);
  }
}

/** FULL: a commit survives a power cut, and only after that the broker is told that the events have been taken. */
function configure(database: DatabaseSync): void {
  database.exec(
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF",
  );
}

function prepareTables(database: DatabaseSync, path: string): void {
  const version = Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
  if (version === tablesVersion) return;
  if (version > 0 && version < tablesVersion) {
    const message = `${path} is a ledger of version ${version}, this program writes version ${tablesVersion}`;
    throw new FailedPrecondition("LEDGER_OUTDATED", message, { path, version: String(version) });
  }
  if (version !== 0) {
    throw new FailedPrecondition(
      "LEDGER_VERSION",
      `${path} is a ledger of version ${version}, this program reads version ${tablesVersion}; ` +
        "move the file away, and the ledger is built again from the broker's streams",
      { path, version: String(version) },
    );
  }
  database.exec(`BEGIN IMMEDIATE; ${tables}`);
  database.prepare("INSERT INTO ledger (id) VALUES (?)").run(randomUUID().slice(0, 8));
  database.exec("COMMIT");
}

function idOf(database: DatabaseSync): string {
  return String(database.prepare("SELECT id FROM ledger").get()?.["id"]);
}
