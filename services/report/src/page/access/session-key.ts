/** The key that sessions are sealed with: kept, so that a restart of the service logs nobody out. Deleted, everybody logs in again. */
import { randomBytes } from "node:crypto";
import { mkdir, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { hasErrorCode } from "@pretrain/errors";

const sizeBytes = 32;

/**
 * Reads `session.key` of the folder, or makes one that only its owner can read. Half a key, left by a process that died, is no key: it is
 * made anew. @throws the system's error when the folder cannot be read or written
 */
export async function openSessionKey(folder: string): Promise<Buffer> {
  const file = join(folder, "session.key");
  const found = await readFile(file).catch((error: unknown) => {
    if (hasErrorCode(error, "ENOENT")) return Buffer.alloc(0);
    throw error;
  });
  if (found.length === sizeBytes) return found;
  const key = randomBytes(sizeBytes);
  await mkdir(folder, { recursive: true });
  {
    await using opened = await open(`${file}.partial`, "w", 0o600);
    await opened.writeFile(key);
    await opened.sync();
  }
  await rename(`${file}.partial`, file); // not there after a power cut: then one more key is made, and people log in again
  return key;
}
