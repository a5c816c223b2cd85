/**
 * The frame of the log: LevelDB's log format in blocks of 32 KiB, behind a header of seven bytes.
 *
 *     file    ":W&B" │ 0xBEE1 uint16 │ version 0 uint8 │ records
 *     record  CRC-32 of type and data uint32 │ length uint16 │ type uint8 │ data          all little-endian
 *
 * A record that does not fit into what is left of a block is cut into parts; where less than a part's head is left, zeros follow.
 * Unlike LevelDB's own the checksum is the CRC-32 of zlib, unmasked.
 */
import { crc32 } from "node:zlib";

const blockBytes = 32 * 1024;
const headBytes = 7;
const partTypes = { whole: 1, first: 2, middle: 3, last: 4 } as const;

/** Frames records in the order in which they come; how each is cut depends on those before it. */
export class LogBlocks {
  #written = 0;

  /** The bytes that a file begins with. */
  header(): Uint8Array {
    const bytes = new Uint8Array(headBytes);
    bytes.set(new TextEncoder().encode(":W&B"));
    new DataView(bytes.buffer).setUint16(4, 0xbee1, true);
    this.#written = bytes.length;
    return bytes;
  }

  framed(record: Uint8Array): Uint8Array {
    const parts: Uint8Array[] = [];
    for (let at = 0, isFirst = true; isFirst || at < record.length; isFirst = false) {
      parts.push(this.#padding());
      const data = record.subarray(at, at + this.#roomForData());
      at += data.length;
      parts.push(part(typeOf(isFirst, at === record.length), data));
      this.#written += headBytes + data.length;
    }
    return Buffer.concat(parts);
  }

  #leftInBlock(): number {
    return blockBytes - (this.#written % blockBytes);
  }

  #padding(): Uint8Array {
    const left = this.#leftInBlock();
    if (left >= headBytes) return new Uint8Array(0);
    this.#written += left;
    return new Uint8Array(left);
  }

  #roomForData(): number {
    return this.#leftInBlock() - headBytes;
  }
}

function typeOf(isFirst: boolean, isLast: boolean): number {
  if (isFirst) return isLast ? partTypes.whole : partTypes.first;
  return isLast ? partTypes.last : partTypes.middle;
}

function part(type: number, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(headBytes + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(4, data.length, true);
  view.setUint8(6, type);
  bytes.set(data, headBytes);
  view.setUint32(0, crc32(bytes.subarray(6)), true); // of type and data, which lie side by side
  return bytes;
}
