/** Removing a checkpoint, and what is known of it afterwards. Why this is safe beside any reader stands in holds.ts. */
import type { BlobStore } from "@pretrain/blobs";
import { NotFound } from "@pretrain/errors";
import { claimedAttempts } from "./attempt-claims.ts";
import {
  type AttemptCheckpoint,
  checkpointName,
  checkpointsPrefix,
  manifestKey,
  parseManifestKey,
  parsePartKey,
  removalKey,
} from "./checkpoint-keys.ts";
import { checkpointHolders } from "./holds.ts";
import { JsonFields } from "./json-fields.ts";
import type { SealedCheckpoint } from "./list-checkpoints.ts";
import { decodeManifest, encodeManifest } from "./manifest.ts";
import { sha256Pattern, timePattern } from "./patterns.ts";

/** A checkpoint that was removed on purpose: what its manifest said, and why it is gone. */
export interface RemovedCheckpoint extends SealedCheckpoint {
  /** When it was decided, in UTC. */
  readonly time: string;
  /** Why, for a person. */
  readonly rule: string;
}

export interface Removal {
  /** Random: of this try alone. */
  readonly mark: string;
  readonly time: string;
  readonly rule: string;
  /** The last attempt that was claimed when the checkpoint was found to be needless. */
  readonly lastAttempt: number;
  /** Whether a holder needs nothing any more: an attempt that a later one has fenced off. */
  readonly isVoid: (holder: string) => boolean;
  /** Called when nothing can keep it any more, before the first byte goes; once more after a crash. */
  readonly announce: (removed: RemovedCheckpoint) => Promise<void>;
}

/**
 * Removes the checkpoint unless somebody holds it, or an attempt was claimed since it was found to be needless: that one may
 * go on from it, and then no later checkpoint counts, which was what made it needless. After a crash anywhere it is there whole, or it is gone and the rest of its
 * parts are to be swept.
 *
 * @returns whether it is removed
 */
export async function removeCheckpoint(
  blobs: BlobStore,
  { manifest, manifestSha256 }: SealedCheckpoint,
  { mark, time, rule, lastAttempt, isVoid, announce }: Removal,
): Promise<boolean> {
  const isFree = async () => (await checkpointHolders(blobs, manifest)).every(isVoid);
  if (!(await isFree())) return false; // asked before, so that nobody who comes now is turned away for nothing
  const key = removalKey(manifest, mark);
  await blobs.put(key, encodeRemoval({ manifest, manifestSha256, time, rule }));
  // Holds first: an attempt that has let go by now has made its claim before.
  if (!(await isFree()) || (await lastClaim(blobs, manifest.experiment)) !== lastAttempt) {
    await blobs.delete(key);
    return false;
  }
  await announce({ manifest, manifestSha256, time, rule });
  await blobs.delete(manifestKey(manifest));
  for (const part of manifest.parts) await blobs.delete(part.blob);
  return true;
}

async function lastClaim(blobs: BlobStore, experiment: string): Promise<number> {
  return (await claimedAttempts(blobs, experiment)).at(-1) ?? 0;
}

/** What a removal left on record; undefined when it was taken back since it was listed. @throws DataLoss when it is damaged */
export async function readRemoval(
  blobs: BlobStore,
  key: string,
  id: AttemptCheckpoint,
): Promise<RemovedCheckpoint | undefined> {
  const bytes = await blobs.read(key).catch((error: unknown) => {
    if (error instanceof NotFound) return undefined;
    throw error;
  });
  if (bytes === undefined) return undefined;
  const fields = JsonFields.parse(bytes, key);
  const manifest = decodeManifest(new TextEncoder().encode(fields.text("manifest", /^/)), id);
  return {
    manifest,
    manifestSha256: fields.text("manifestSha256", sha256Pattern),
    time: fields.text("time", timePattern),
    rule: fields.text("rule", /^/),
  };
}

function encodeRemoval({ manifest, ...rest }: RemovedCheckpoint): Uint8Array {
  const text = new TextDecoder().decode(encodeManifest(manifest));
  return new TextEncoder().encode(`${JSON.stringify({ ...rest, manifest: text }, null, 2)}\n`);
}

/**
 * Removes the parts that attempts before `lastAttempt` have left without a manifest: they died, or sleep, in the middle of a save.
 * One that seals such a checkpoint later seals nothing that counts, since a later claim goes on from before it.
 */
export async function sweepUnsealed(blobs: BlobStore, experiment: string, lastAttempt: number): Promise<void> {
  const sealed = new Set<string>();
  const partial = new Map<string, AttemptCheckpoint>();
  for await (const { key } of blobs.list(checkpointsPrefix(experiment))) {
    const manifest = parseManifestKey(key);
    if (manifest !== undefined) sealed.add(manifestKey(manifest));
    const part = parsePartKey(key);
    if (part !== undefined && part.attempt < lastAttempt) partial.set(manifestKey(part), part);
  }
  for (const [manifest, id] of partial) if (!sealed.has(manifest)) await sweepParts(blobs, id);
}

/**
 * Removes what no manifest speaks of: files of an attempt at this micro-step that bear the names this package gives. Whatever
 * else lies there is somebody else's and stays.
 */
export async function sweepParts(blobs: BlobStore, id: AttemptCheckpoint): Promise<void> {
  for await (const { key } of blobs.list(`${checkpointName(id)}/${id.attempt}.`)) {
    if (parsePartKey(key)?.attempt === id.attempt) await blobs.delete(key);
  }
}
