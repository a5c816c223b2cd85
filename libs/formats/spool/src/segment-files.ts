/** The files of the segments: their names, and how they are written anew. */
import { closeSync, fsyncSync, openSync, readdirSync, readSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hasErrorCode } from "@pretrain/errors";
import type { PlacedRecord } from "./read-segment.ts";
import { encodeHeader, encodeRecord, framingBytes, type SpoolRecord } from "./spool-record.ts";

/** A segment that has grown so large is followed by another. */
export const segmentBytes = 4 * 1024 * 1024;

export function segmentPath(folder: string, firstSequence: number): string {
  return join(folder, `${String(firstSequence).padStart(16, "0")}.spool`);
}

/** In the order of their sequences, which is the order of their names. */
export function segmentFiles(folder: string): string[] {
  const names = readdirSync(folder).filter((name) => /^[0-9]{16}\.spool$/.test(name));
  return names.sort().map((name) => join(folder, name));
}

/** The records with their bytes; each file is opened once. */
export function bytesOf(records: readonly PlacedRecord[]): SpoolRecord[] {
  const files = new Map<string, number>();
  try {
    return records.map(({ sequence, file, offset, length }) => {
      const descriptor = files.get(file) ?? openSync(file, "r");
      files.set(file, descriptor);
      const bytes = new Uint8Array(length);
      readSync(descriptor, bytes, 0, length, offset);
      return { sequence, bytes };
    });
  } finally {
    for (const descriptor of files.values()) closeSync(descriptor);
  }
}

/**
 * Writes the records into new files, synced, which take the place of all segments there. What a process left may never have
 * been synced, or its sync may have failed: the system forgets after one report which pages it has lost, and a second sync of
 * the same file would succeed without them (Rebello et al., ATC 2020). Only a file that is new is known to be on the disk.
 *
 * The last segment is renamed first: wherever a crash ends it, old and new files together hold every record. On a full disk the
 * old files stay as they are.
 *
 * @returns where the records are now
 */
export function rewritten(folder: string, records: readonly PlacedRecord[]): readonly PlacedRecord[] {
  for (const name of readdirSync(folder)) if (/^[0-9]{16}\.spool\.new$/.test(name)) rmSync(join(folder, name));
  try {
    return replaced(folder, records);
  } catch (error) {
    if (hasErrorCode(error, "ENOSPC", "EDQUOT")) return records;
    throw error;
  }
}

function replaced(folder: string, records: readonly PlacedRecord[]): PlacedRecord[] {
  if (segmentFiles(folder).length === 0) return [];
  const segments = runs(records).map((run) => writtenAnew(folder, run));
  syncFolder(folder);
  for (const { file } of segments.toReversed()) renameSync(`${file}.new`, file);
  const names = new Set(segments.map(({ file }) => file));
  for (const file of segmentFiles(folder)) if (!names.has(file)) rmSync(file);
  syncFolder(folder);
  return segments.flatMap((segment) => segment.records);
}

export function syncFolder(folder: string): void {
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** A segment's sequences have no gaps. */
function runs(records: readonly PlacedRecord[]): PlacedRecord[][] {
  const found: PlacedRecord[][] = [];
  let sizeBytes = 0;
  for (const record of records) {
    const run = found.at(-1);
    const follows = run?.at(-1)?.sequence === record.sequence - 1 && sizeBytes < segmentBytes;
    if (follows) run?.push(record);
    else found.push([record]);
    sizeBytes = (follows ? sizeBytes : 0) + framingBytes + record.length;
  }
  return found;
}

function writtenAnew(folder: string, run: readonly PlacedRecord[]): { file: string; records: PlacedRecord[] } {
  const first = run[0]?.sequence ?? 1;
  const file = segmentPath(folder, first);
  const pieces = [encodeHeader(first), ...bytesOf(run).map(encodeRecord)];
  writeFileSync(`${file}.new`, Buffer.concat(pieces), { flush: true });
  let offset = pieces[0]?.length ?? 0;
  const records = run.map(({ sequence, length }) => {
    const placed = { sequence, file, offset: offset + framingBytes, length };
    offset += framingBytes + length;
    return placed;
  });
  return { file, records };
}
