/** Reading with proof: stored bytes are used only after their digest was compared. */
import { createHash } from "node:crypto";
import { DataLoss } from "@pretrain/errors";
import type { BlobStore } from "./blob-store.ts";

/** SHA-256 in lower-case hex. */
export function sha256Hex(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/**
 * The whole blob, if its SHA-256 is `sha256` (lower-case hex).
 * @throws DataLoss DIGEST_MISMATCH naming the blob and both digests; NotFound
 */
export async function verifiedRead(store: BlobStore, key: string, sha256: string): Promise<Uint8Array> {
  const bytes = await store.read(key);
  const found = sha256Hex(bytes);
  if (found !== sha256) {
    throw new DataLoss(
      "DIGEST_MISMATCH",
      `${key}: SHA-256 of its ${bytes.length} bytes is ${found}, ${sha256} was expected; the blob is damaged`,
      { key, found, expected: sha256 },
    );
  }
  return bytes;
}
