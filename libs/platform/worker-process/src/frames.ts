/**
 * Messages as bytes on a pipe. What arrives may be damaged, or come from a library that wrote to the wrong file: a reader trusts nothing.
 *
 *     "PTWP"   number, from 0   length   content, serialized by V8
 *     4 bytes  4 bytes          4 bytes  at most 64 MiB
 *
 * Node's own channel between processes (`fork`) does not do: bytes that are no message of its end the process that reads them.
 */
import { deserialize, serialize } from "node:v8";

const mark = 0x50545750;
const headerBytes = 12;
const contentLimitBytes = 64 * 2 ** 20;

/** Numbers the frames of one direction. */
export class FrameWriter {
  #number = 0;

  /** @throws RangeError for a message above 64 MiB; whatever cannot be cloned */
  frame(message: unknown): Buffer {
    const content = serialize(message);
    if (content.length > contentLimitBytes) {
      throw new RangeError(`a message of ${content.length} bytes; at most ${contentLimitBytes} are sent`);
    }
    const header = Buffer.alloc(headerBytes);
    [mark, this.#number, content.length].forEach((value, index) => header.writeUInt32BE(value, 4 * index));
    this.#number = (this.#number + 1) % 2 ** 32;
    return Buffer.concat([header, content]);
  }
}

/** Bytes that are no frame, or not the next one. Nothing behind them can be read either. */
export class BrokenFrame extends Error {}

export class FrameReader {
  #pieces: Buffer[] = [];
  #heldBytes = 0;
  #number = 0;
  /** Bytes of the frame being received; undefined while its header is not whole. */
  #frameBytes: number | undefined;

  /** The messages that are whole with this piece. @throws BrokenFrame saying what was found */
  *read(piece: Buffer): Generator<unknown, void> {
    this.#pieces.push(piece);
    this.#heldBytes += piece.length;
    while (this.#heldBytes >= headerBytes) {
      this.#frameBytes ??= headerBytes + this.#contentLength(this.#together().subarray(0, headerBytes));
      if (this.#heldBytes < this.#frameBytes) return;
      const held = this.#together();
      this.#hold(held.subarray(this.#frameBytes));
      const content = held.subarray(headerBytes, this.#frameBytes);
      this.#frameBytes = undefined;
      yield messageOf(content);
    }
  }

  #contentLength(header: Buffer): number {
    const [found, number, length] = [header.readUInt32BE(0), header.readUInt32BE(4), header.readUInt32BE(8)];
    if (found !== mark) throw new BrokenFrame(`bytes that are no message: ${header.toString("hex")}`);
    if (number !== this.#number) throw new BrokenFrame(`message ${number} where ${this.#number} is the next`);
    if (length > contentLimitBytes) throw new BrokenFrame(`a message of ${length} bytes, ${contentLimitBytes} at most`);
    this.#number = (this.#number + 1) % 2 ** 32;
    return length;
  }

  /** Only when a frame can be cut off: a large message that comes in many pieces is put together once. */
  #together(): Buffer {
    if (this.#pieces.length > 1) this.#hold(Buffer.concat(this.#pieces));
    return this.#pieces[0] ?? Buffer.alloc(0);
  }

  #hold(rest: Buffer): void {
    this.#pieces = rest.length === 0 ? [] : [rest];
    this.#heldBytes = rest.length;
  }
}

function messageOf(content: Buffer): unknown {
  try {
    return deserialize(content);
  } catch (cause) {
    throw new BrokenFrame("a message that cannot be read", { cause });
  }
}
