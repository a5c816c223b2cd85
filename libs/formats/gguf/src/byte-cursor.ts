/** Numbers and texts, one behind the other, out of bytes that nobody vouches for. */
import { textLimitBytes } from "./format.ts";

/** Throws the error of the file that is being read. */
export type Refuse = (fault: string) => never;

export class ByteCursor {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #refuse: Refuse;
  #offset = 0;

  constructor(bytes: Uint8Array, refuse: Refuse) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#refuse = refuse;
  }

  /** Bytes that were taken. */
  get offset(): number {
    return this.#offset;
  }

  take(length: number, what: string): Uint8Array {
    const begin = this.#offset;
    if (length > this.#bytes.length - begin)
      return this.#refuse(`it ends within ${what}, which begins at byte ${begin}`);
    this.#offset = begin + length;
    return this.#bytes.subarray(begin, this.#offset);
  }

  uint32(what: string): number {
    return this.#view.getUint32(this.#begin(4, what), true);
  }

  int32(what: string): number {
    return this.#view.getInt32(this.#begin(4, what), true);
  }

  float32(what: string): number {
    return this.#view.getFloat32(this.#begin(4, what), true);
  }

  /** An integer of 64 bits that is at most `limit`. */
  count(what: string, limit: number): number {
    const value = this.#view.getBigUint64(this.#begin(8, what), true);
    return value <= BigInt(limit) ? Number(value) : this.#refuse(`${what} is ${value}; at most ${limit} is read`);
  }

  text(what: string): string {
    const bytes = this.take(this.count(`the length of ${what}`, textLimitBytes), what);
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      return this.#refuse(`${what} is not UTF-8`);
    }
  }

  #begin(length: number, what: string): number {
    this.take(length, what);
    return this.#offset - length;
  }
}
