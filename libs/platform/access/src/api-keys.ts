/** Keys for people and their programs: drawn here, shown once, kept as SHA-256 only. */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** By its beginning one is found where it should not be: in a log, in a repository. */
const prefix = "pretrain_";
const randomLength = 32;

/** Nothing that a person made up has this form: what cannot be guessed needs no slow digest. */
const keyPattern = /^pretrain_[A-Za-z0-9_-]{43}$/;

/** @returns a new key, for its holder alone, and what the access file has of it (`key_sha256`) */
export function createApiKey(): { readonly key: string; readonly sha256: string } {
  const key = prefix + randomBytes(randomLength).toString("base64url");
  return { key, sha256: sha256OfApiKey(key) };
}

/** In hex. */
export function sha256OfApiKey(key: string): string {
  return digest(key).toString("hex");
}

export function isApiKey(token: string): boolean {
  return keyPattern.test(token);
}

/** Who holds the key. The time it takes tells nothing of the keys that are known: each is compared, and to its end. */
export function holderOf<T extends { readonly keySha256: Buffer }>(key: string, holders: readonly T[]): T | undefined {
  const shown = digest(key);
  let found: T | undefined;
  for (const holder of holders) if (timingSafeEqual(holder.keySha256, shown)) found = holder;
  return found;
}

function digest(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}
