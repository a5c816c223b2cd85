/**
 * The bytes of a segment. Numbers are little-endian; the checksum covers sequence and payload, so that a record of another
 * place or another file is found as well as a changed one.
 *
 *     "PTSPOOL1"  first sequence (8)   then, again and again:   length (4)  CRC-32 (4)  payload
 */
import { crc32 } from "node:zlib";

export interface SpoolRecord {
  /** Counts all records ever appended to this spool, from 1. */
  readonly sequence: number;
  readonly bytes: Uint8Array;
}

export const headerBytes = 16;
export const framingBytes = 8;
export const payloadLimitBytes = 1024 * 1024;
const magic = "PTSPOOL1";

export function encodeHeader(firstSequence: number): Uint8Array {
  const header = Buffer.alloc(headerBytes, magic, "latin1");
  header.writeBigUInt64LE(BigInt(firstSequence), magic.length);
  return header;
}

/** The sequence of the segment's first record, undefined when the bytes are no header. */
export function decodeHeader(bytes: Buffer): number | undefined {
  if (bytes.length < headerBytes || bytes.toString("latin1", 0, magic.length) !== magic) return undefined;
  const sequence = Number(bytes.readBigUInt64LE(magic.length));
  return Number.isSafeInteger(sequence) && sequence > 0 ? sequence : undefined;
}

export function encodeRecord({ sequence, bytes }: SpoolRecord): Uint8Array {
  const record = Buffer.alloc(framingBytes + bytes.length);
  record.writeUInt32LE(bytes.length, 0);
  record.writeUInt32LE(checksum(sequence, bytes), 4);
  record.set(bytes, framingBytes);
  return record;
}

/** What the framing at `offset` gives as the length of its payload, in bytes; 0 where there is none. */
export function lengthAt(segment: Buffer, offset: number): number {
  return offset + framingBytes > segment.length ? 0 : segment.readUInt32LE(offset);
}

/** The payload of the record at `offset`, undefined when it is cut or is not the record of that sequence. */
export function decodeRecord(segment: Buffer, offset: number, sequence: number): Uint8Array | undefined {
  if (offset + framingBytes > segment.length) return undefined;
  const length = segment.readUInt32LE(offset);
  const end = offset + framingBytes + length;
  if (length > payloadLimitBytes || end > segment.length) return undefined;
  const bytes = segment.subarray(offset + framingBytes, end);
  return segment.readUInt32LE(offset + 4) === checksum(sequence, bytes) ? bytes : undefined;
}

function checksum(sequence: number, bytes: Uint8Array): number {
  const ofSequence = Buffer.alloc(8);
  ofSequence.writeBigUInt64LE(BigInt(sequence));
  return crc32(bytes, crc32(ofSequence));
}
