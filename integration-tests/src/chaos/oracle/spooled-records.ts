/** How many records of a spool nobody has confirmed, by the format of its files alone. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const headerBytes = 16;
const framingBytes = 8;

/** 0 when there is no spool. */
export function spooledRecords(folder: string): number {
  const files = namesIn(folder);
  const confirmed = files.includes("confirmed")
    ? Number.parseInt(readFileSync(join(folder, "confirmed"), "utf8"), 10)
    : 0;
  return files
    .filter((name) => name.endsWith(".spool"))
    .flatMap((name) => sequencesIn(readFileSync(join(folder, name))))
    .filter((sequence) => sequence > confirmed).length;
}

function sequencesIn(bytes: Buffer): number[] {
  const sequences: number[] = [];
  let sequence = bytes.length < headerBytes ? 0 : Number(bytes.readBigUInt64LE(8));
  for (let offset = headerBytes; offset + framingBytes <= bytes.length; sequence += 1) {
    offset += framingBytes + bytes.readUInt32LE(offset);
    sequences.push(sequence);
  }
  return sequences;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
