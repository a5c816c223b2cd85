/**
 * Where each row of a shard lies and what it must be: for each row the end of its tokens (uint32, in tokens from the
 * shard's begin) and the CRC-32 of its bytes (uint32), both little-endian. The SHA-256 of the whole part is compared once;
 * the CRC at every read, so that a disk that goes bad while the service runs is noticed too.
 */
import { crc32 } from "node:zlib";
import { DataLoss } from "@pretrain/errors";

export interface RowPlace {
  /** First token and number of tokens, counted from the shard's begin. */
  readonly start: number;
  readonly length: number;
  readonly crc32: number;
}

const bytesPerRow = 8;

/** Ids as they lie on the disk: little-endian, which every platform of this program is. */
export function bytesOfIds(ids: Uint16Array): Uint8Array {
  return new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength);
}

/** @param bytes of an even length */
export function idsOfBytes(bytes: Uint8Array): Uint16Array {
  return new Uint16Array(bytes.slice().buffer); // a copy: the bytes may begin at an odd address
}

export function encodeRowIndex(rows: readonly Uint16Array[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(rows.length * bytesPerRow));
  let end = 0;
  for (const [index, ids] of rows.entries()) {
    end += ids.length;
    view.setUint32(index * bytesPerRow, end, true);
    view.setUint32(index * bytesPerRow + 4, crc32(bytesOfIds(ids)), true);
  }
  return new Uint8Array(view.buffer);
}

/** The index of one shard, read from its part. */
export class RowIndex {
  readonly rows: number;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.rows = bytes.length / bytesPerRow;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** @param row from 0 to `rows` - 1 */
  place(row: number): RowPlace {
    const start = row === 0 ? 0 : this.#view.getUint32((row - 1) * bytesPerRow, true);
    const end = this.#view.getUint32(row * bytesPerRow, true);
    return { start, length: end - start, crc32: this.#view.getUint32(row * bytesPerRow + 4, true) };
  }
}

/** The ids of one row out of its bytes. @throws DataLoss when they are not what was written */
export function verifiedRow(part: string, row: number, place: RowPlace, bytes: Uint8Array): Uint16Array {
  if (crc32(bytes) !== place.crc32) {
    throw new DataLoss("ROW_DAMAGED", `${part}: row ${row} was changed since it was written; pack the dataset again`, {
      part,
    });
  }
  return idsOfBytes(bytes);
}
