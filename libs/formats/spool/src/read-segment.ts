/** Which records of a segment can be believed. */
import { readFileSync } from "node:fs";
import { decodeHeader, decodeRecord, framingBytes, headerBytes, lengthAt } from "./spool-record.ts";

/** Where a record lies. */
export interface PlacedRecord {
  readonly sequence: number;
  readonly file: string;
  /** Of its payload, in bytes. */
  readonly offset: number;
  readonly length: number;
}

/** Bytes that cannot be believed: the end of a write that a crash cut short, or damage. */
export interface SpoolLoss {
  readonly file: string;
  /** The first of them. */
  readonly offset: number;
  readonly sizeBytes: number;
}

export interface Segment {
  readonly file: string;
  readonly records: readonly PlacedRecord[];
  readonly losses: readonly SpoolLoss[];
}

/**
 * All records that verify. One that does not is passed over if the next one is found behind it; else nothing is known to be
 * where it seems, up to the end.
 */
export function readSegment(file: string): Segment {
  const bytes = readFileSync(file);
  const first = decodeHeader(bytes);
  const [records, losses]: [PlacedRecord[], SpoolLoss[]] = [[], []];
  let offset = first === undefined ? 0 : headerBytes;
  for (let sequence = first ?? 0; first !== undefined && offset < bytes.length; sequence += 1) {
    const next = offset + framingBytes + lengthAt(bytes, offset);
    if (decodeRecord(bytes, offset, sequence) !== undefined) {
      records.push({ sequence, file, offset: offset + framingBytes, length: next - offset - framingBytes });
    } else if (decodeRecord(bytes, next, sequence + 1) !== undefined) {
      losses.push({ file, offset, sizeBytes: next - offset });
    } else break;
    offset = next;
  }
  const sizeBytes = bytes.length - offset;
  return { file, records, losses: sizeBytes === 0 ? losses : [...losses, { file, offset, sizeBytes }] };
}
