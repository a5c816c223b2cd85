/** One process at a time. Node has no `flock`; SQLite holds a lock of the kernel's, which ends with its process, however it ends. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { FailedPrecondition } from "@pretrain/errors";

/** Holds the folder until disposed. @throws FailedPrecondition SPOOL_IN_USE when another holder lives */
export function holdFolder(folder: string): Disposable {
  const database = new DatabaseSync(join(folder, "lock"), { timeout: 0 });
  try {
    database.exec("BEGIN EXCLUSIVE");
  } catch (cause) {
    database.close();
    const message = `${folder} is written by another process; a spool has one writer`;
    throw new FailedPrecondition("SPOOL_IN_USE", message, { folder }, { cause });
  }
  return { [Symbol.dispose]: () => database.close() };
}
