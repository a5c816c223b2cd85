/**
 * What a hash chain is made of, to the byte (docs/adr/0015): the digest of one entry, and the link that ties it to all before it.
 *
 *     text    5:1-4-0,4:step,1:1,…    each field as `<bytes in UTF-8>:<field>,`, so that no two entries have one text
 *     digest  SHA-256(text)
 *     link    SHA-256(link before, 32 bytes ‖ digest, 32 bytes)      the first one follows 32 zero bytes
 */
import { hash } from "node:crypto";

/** An event as the ledger keeps it, or the claim of an attempt: its number is then what it goes on from, its payload empty. */
export interface ChainEntry {
  /** Canonical id. */
  readonly experiment: string;
  /** Of an event, or `claim`. */
  readonly kind: string;
  readonly attempt: number;
  readonly nonce: string;
  readonly number: number;
  readonly detail: string;
  readonly payload: string;
}

export const claimKind = "claim";

/** 32 bytes. */
export function entryDigest({ experiment, kind, attempt, nonce, number, detail, payload }: ChainEntry): Buffer {
  const fields = [experiment, kind, String(attempt), nonce, String(number), detail, payload];
  return hash("sha256", fields.map(delimited).join(""), "buffer");
}

function delimited(field: string): string {
  return `${Buffer.byteLength(field)}:${field},`;
}

/** Before the first entry. */
export const noLink: Uint8Array = new Uint8Array(32);

const joined = new Uint8Array(64);

/** 32 bytes. */
export function nextLink(before: Uint8Array, digest: Uint8Array): Buffer {
  joined.set(before);
  joined.set(digest, 32);
  return hash("sha256", joined, "buffer");
}

/** As a person would name it, such as `step/1/3f…/4096`. */
export function entryName({
  kind,
  attempt,
  nonce,
  number,
  detail,
}: Omit<ChainEntry, "experiment" | "payload">): string {
  const parts = [
    kind,
    ...(attempt > 0 || nonce !== "" ? [attempt, nonce] : []),
    ...(number > 0 ? [number] : []),
    detail,
  ];
  return parts.filter((part) => part !== "").join("/");
}
