/**
 * How far the spool was confirmed. Renamed into place but never synced: after a power cut an older number, or none, may be
 * there, and then records are sent again, which whoever takes them must expect anyway.
 */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hasErrorCode } from "@pretrain/errors";

export function readAcknowledged(folder: string): number {
  try {
    const text = readFileSync(join(folder, "acknowledged"), "latin1");
    return /^[0-9]{1,15}\n$/.test(text) ? Number(text) : 0;
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return 0;
    throw error;
  }
}

export function writeAcknowledged(folder: string, sequence: number): void {
  const path = join(folder, "acknowledged");
  writeFileSync(`${path}.new`, `${sequence}\n`);
  renameSync(`${path}.new`, path);
}
