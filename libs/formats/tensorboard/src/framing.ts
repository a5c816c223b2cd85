/**
 * The frame around each record of an event file (TFRecord), all numbers little-endian:
 *
 *     length uint64 │ masked CRC-32C of the length uint32 │ record │ masked CRC-32C of the record uint32
 */
import { crc32c } from "./crc32c.ts";

const lengthBytes = 8;
const crcBytes = 4;

export function framed(record: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(lengthBytes + crcBytes + record.length + crcBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, record.length, true); // a record is far below 4 GiB: the upper half stays 0
  view.setUint32(lengthBytes, masked(crc32c(bytes.subarray(0, lengthBytes))), true);
  bytes.set(record, lengthBytes + crcBytes);
  view.setUint32(bytes.length - crcBytes, masked(crc32c(record)), true);
  return bytes;
}

/** A checksum over bytes that hold checksums themselves would be weak: the format turns and shifts each of them. */
function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
