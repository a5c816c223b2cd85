/** The only message of a call, as bytes: gRPC's frame of one byte, which says whether it is compressed, and four of its length. */
import type { ServerHttp2Stream } from "node:http2";

const frameBytes = 5;

/** All that a caller sends, read until it ends, is gone, or has sent more than one message may have. */
export function receiveSingle(stream: ServerHttp2Stream, maximumBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  return new Promise((resolve) => {
    const end = () => {
      stream.off("data", take).off("end", end).off("close", end);
      resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks));
    };
    const take = (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes <= frameBytes + maximumBytes) return;
      stream.pause();
      end();
    };
    stream.on("data", take).on("end", end).on("close", end);
  });
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
