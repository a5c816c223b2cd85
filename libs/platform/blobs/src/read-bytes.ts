/** Exactly the bytes that were asked for, or an error: never a shorter answer that looks like the whole. */
import type { FileHandle } from "node:fs/promises";
import { OutOfRange, ResourceExhausted } from "@pretrain/errors";
import type { ByteRange } from "./blob-store.ts";

const maximumReadBytes = 2 ** 31;

/** @throws OutOfRange, ResourceExhausted as `BlobStore.read` says */
export async function readBytes(
  handle: FileHandle,
  key: string,
  { offset, length }: ByteRange,
  sizeBytes: number,
): Promise<Uint8Array> {
  const isInside =
    [offset, length].every((value) => Number.isSafeInteger(value) && value >= 0) && offset + length <= sizeBytes;
  if (!isInside) throw outOfRange(key, { offset, length }, sizeBytes);
  if (length > maximumReadBytes) {
    throw new ResourceExhausted("READ_TOO_LARGE", `${key}: ${length} bytes in one read; stream it, or read a range`, {
      key,
    });
  }
  const bytes = new Uint8Array(length);
  for (let filled = 0; filled < length; ) {
    const { bytesRead } = await handle.read(bytes, filled, length - filled, offset + filled);
    if (bytesRead === 0) throw outOfRange(key, { offset, length }, offset + filled); // it was made shorter just now
    filled += bytesRead;
  }
  return bytes;
}

function outOfRange(key: string, { offset, length }: ByteRange, sizeBytes: number): OutOfRange {
  return new OutOfRange(
    "RANGE_OUTSIDE",
    `${key}: ${length} bytes from ${offset} on were asked for, it has ${sizeBytes}`,
    {
      key,
      sizeBytes: String(sizeBytes),
    },
  );
}
