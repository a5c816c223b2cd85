/** Whether a store has room: found out by writing. What a file system says of its free space is not what it will take. */
import type { BlobStore } from "@pretrain/blobs";
import { PretrainError } from "@pretrain/errors";

const pieceBytes = 64 * 1024;

/** Writes so many bytes under `key` and takes them away again. The next probe does it for one that died in between. */
export async function hasRoom(store: Pick<BlobStore, "put" | "delete">, key: string, bytes: number): Promise<boolean> {
  try {
    await store.put(key, pieces(bytes));
    return true;
  } catch (error) {
    if (error instanceof PretrainError) return false;
    throw error;
  } finally {
    await store.delete(key).catch(() => undefined); // a store that cannot be written now
  }
}

/** Not zeros, which some file systems keep for nothing. */
async function* pieces(bytes: number): AsyncGenerator<Uint8Array> {
  const piece = crypto.getRandomValues(new Uint8Array(pieceBytes));
  for (let left = bytes; left > 0; left -= pieceBytes) yield piece.subarray(0, Math.min(left, pieceBytes));
}
