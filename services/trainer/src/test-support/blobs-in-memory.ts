/** A store of blobs that remembers as long as the test: whole or absent, as the real ones promise. */
import { type BlobStore, sha256Hex } from "@pretrain/blobs";
import { NotFound } from "@pretrain/errors";

export function blobsInMemory(): BlobStore {
  const stored = new Map<string, Uint8Array>();
  const found = (key: string): Uint8Array => {
    const bytes = stored.get(key);
    if (bytes === undefined) throw new NotFound("BLOB_NOT_FOUND", `there is no ${key}`, { key });
    return bytes;
  };
  return {
    async put(key, content) {
      const bytes = content instanceof Uint8Array ? content : Buffer.concat(await Array.fromAsync(content));
      stored.set(key, bytes);
      return { key, sizeBytes: bytes.length, sha256: sha256Hex(bytes) };
    },
    async create(key, content) {
      if (stored.has(key)) return false;
      stored.set(key, content);
      return true;
    },
    async read(key, { offset = 0, length } = { offset: 0, length: found(key).length }) {
      return found(key).slice(offset, offset + length);
    },
    async *stream(key) {
      yield found(key);
    },
    async stat(key) {
      const bytes = stored.get(key);
      return bytes && { sizeBytes: bytes.length };
    },
    async *list(prefix) {
      for (const key of [...stored.keys()].sort()) {
        if (key.startsWith(prefix)) yield { key, sizeBytes: found(key).length };
      }
    },
    async delete(key) {
      stored.delete(key);
    },
  };
}
