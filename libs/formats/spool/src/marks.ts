/**
 * How far the spool was sent and confirmed, each a number and its CRC-32 in a file. Renamed into place but never synced: after a
 * power cut an older number, or none, may be there, and then records are sent again, which whoever takes them must expect
 * anyway. A number that is damaged counts as none for the same reason; believed, it could pass over records that nobody has.
 */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { hasErrorCode } from "@pretrain/errors";

export type Mark = "sent" | "confirmed";

/** 0 when there is none that can be believed. */
export function readMark(folder: string, mark: Mark): number {
  try {
    const text = readFileSync(join(folder, mark), "latin1");
    const sequence = Number(/^[0-9]{1,15} /.exec(text)?.[0]);
    return text === line(sequence) ? sequence : 0;
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return 0;
    throw error;
  }
}

export function writeMark(folder: string, mark: Mark, sequence: number): void {
  const path = join(folder, mark);
  writeFileSync(`${path}.new`, line(sequence));
  renameSync(`${path}.new`, path);
}

function line(sequence: number): string {
  return `${sequence} ${crc32(String(sequence)).toString(16).padStart(8, "0")}\n`;
}
