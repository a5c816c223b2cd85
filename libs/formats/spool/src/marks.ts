/**
 * How far the spool was sent and confirmed, each a number in a file. Renamed into place but never synced: after a power cut an
 * older number, or none, may be there, and then records are sent again, which whoever takes them must expect anyway.
 */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hasErrorCode } from "@pretrain/errors";

export type Mark = "sent" | "confirmed";

/** 0 when there is none that can be believed. */
export function readMark(folder: string, mark: Mark): number {
  try {
    const text = readFileSync(join(folder, mark), "latin1");
    return /^[0-9]{1,15}\n$/.test(text) ? Number(text) : 0;
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return 0;
    throw error;
  }
}

export function writeMark(folder: string, mark: Mark, sequence: number): void {
  const path = join(folder, mark);
  writeFileSync(`${path}.new`, `${sequence}\n`);
  renameSync(`${path}.new`, path);
}
