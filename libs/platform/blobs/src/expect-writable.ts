/** Whether a store takes anything at all: asked once, before a service says that it serves. */
import type { BlobStore } from "./blob-store.ts";

/** Writes a few bytes and takes them away again. @param who one segment of a key, such as `trainer` @throws the store's errors */
export async function expectWritable(blobs: BlobStore, who: string): Promise<void> {
  const key = `probes/${who}-${process.pid}`;
  await blobs.put(key, new TextEncoder().encode("may this be written?\n"));
  await blobs.delete(key);
}
