/** The only message of a call, as bytes: gRPC's frame of one byte, which says whether it is compressed, and four of its length. */
import type { ServerHttp2Stream } from "node:http2";
import { Crumbs } from "./crumbs.ts";

const frameBytes = 5;

/** All that a caller sends, read until it ends, is gone, or has sent more than one message may have. A message in crumbs is cut off. */
export function receiveSingle(stream: ServerHttp2Stream, maximumBytes: number): Promise<Buffer> {
  const received = new Received();
  const crumbs = new Crumbs(stream);
  return new Promise((resolve) => {
    const end = () => {
      stream.off("data", take).off("end", end).off("close", end);
      resolve(received.bytes);
    };
    const take = (chunk: Buffer) => {
      received.add(chunk);
      if (crumbs.isTooMuch(chunk)) return end();
      if (received.bytes.length <= frameBytes + maximumBytes) return;
      stream.pause();
      end();
    };
    stream.on("data", take).on("end", end).on("close", end);
  });
}

/** One buffer, not a list: of a message whose bytes come one by one, a list would take a hundred times as much. */
class Received {
  #bytes: Buffer = Buffer.alloc(0);
  #length = 0;

  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  add(chunk: Buffer): void {
    const length = this.#length + chunk.length;
    if (this.#length === 0) this.#bytes = chunk;
    else {
      if (length > this.#bytes.length) this.#bytes = enlarged(this.#bytes, Math.max(length, 2 * this.#length));
      chunk.copy(this.#bytes, this.#length);
    }
    this.#length = length;
  }
}

function enlarged(bytes: Buffer, length: number): Buffer {
  const larger = Buffer.allocUnsafe(length);
  bytes.copy(larger);
  return larger;
}

/** The message, where the bytes are one in its frame, not compressed and not longer than allowed. */
export function unframed(bytes: Buffer, maximumBytes: number): Uint8Array | undefined {
  const length = bytes.length - frameBytes;
  if (length < 0 || length > maximumBytes || bytes[0] !== 0 || bytes.readUInt32BE(1) !== length) return undefined;
  // No Buffer: its `slice` shares what another's copies, and fields of the message are of the kind that it is read from.
  return new Uint8Array(bytes.buffer, bytes.byteOffset + frameBytes, length);
}

/** The message in its frame. */
export function framed(message: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(frameBytes + message.length);
  bytes[0] = 0;
  bytes.writeUInt32BE(message.length, 1);
  bytes.set(message, frameBytes);
  return bytes;
}
