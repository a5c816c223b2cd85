/** Exactly the bytes that were asked for, or an error: never a shorter answer that looks like the whole. */
import type { FileHandle } from "node:fs/promises";
import { OutOfRange, ResourceExhausted } from "@pretrain/errors";
import type { ByteRange } from "./blob-store.ts";

const maximumReadBytes = 2 ** 31;

/** @throws OutOfRange when the range does not lie inside the blob; ResourceExhausted when it is too long for one read */
export function expectRangeLength(key: string, { offset, length }: ByteRange, sizeBytes: number): void {
  const isInside =
    [offset, length].every((value) => Number.isSafeInteger(value) && value >= 0) && offset + length <= sizeBytes;
  if (!isInside) throw outOfRange(key, { offset, length }, sizeBytes);
  if (length <= maximumReadBytes) return;
  const message = `${key}: ${length} bytes in one read; stream it, or read a range`;
  throw new ResourceExhausted("READ_TOO_LARGE", message, { key });
}

/** @throws OutOfRange, ResourceExhausted as `BlobStore.read` says */
export async function readBytes(
  handle: FileHandle,
  key: string,
  { offset, length }: ByteRange,
  sizeBytes: number,
): Promise<Uint8Array> {
  expectRangeLength(key, { offset, length }, sizeBytes);
  const bytes = new Uint8Array(length);
  for (let filled = 0; filled < length; ) {
    const { bytesRead } = await handle.read(bytes, filled, length - filled, offset + filled);
    if (bytesRead === 0) throw outOfRange(key, { offset, length }, offset + filled); // it was made shorter just now
    filled += bytesRead;
  }
  return bytes;
}

/** @param sizeBytes undefined: fewer than that, and nobody has said how many */
export function outOfRange(key: string, { offset, length }: ByteRange, sizeBytes: number | undefined): OutOfRange {
  const has = sizeBytes === undefined ? "it has fewer" : `it has ${sizeBytes}`;
  const message = `${key}: ${length} bytes from ${offset} on were asked for, ${has}`;
  return new OutOfRange("RANGE_OUTSIDE", message, { key });
}
