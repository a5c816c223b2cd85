/** Which records of a segment can be believed. */
import { readFileSync } from "node:fs";
import { decodeHeader, decodeRecord, framingBytes, headerBytes } from "./spool-record.ts";

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
  /** Undefined when every byte is accounted for. */
  readonly loss: SpoolLoss | undefined;
}

/** All records up to the first that does not verify; behind that one, nothing is known to be where it seems. */
export function readSegment(file: string): Segment {
  const bytes = readFileSync(file);
  const first = decodeHeader(bytes);
  const records: PlacedRecord[] = [];
  let offset = first === undefined ? 0 : headerBytes;
  while (first !== undefined && offset < bytes.length) {
    const sequence = first + records.length;
    const payload = decodeRecord(bytes, offset, sequence);
    if (payload === undefined) break;
    records.push({ sequence, file, offset: offset + framingBytes, length: payload.length });
    offset += framingBytes + payload.length;
  }
  const sizeBytes = bytes.length - offset;
  return { file, records, loss: sizeBytes === 0 ? undefined : { file, offset, sizeBytes } };
}
