/** Which checkpoints there are: those that count, have a manifest, and all of whose parts are there in full length. */
import { type BlobStore, sha256Hex } from "@pretrain/blobs";
import { DataLoss, NotFound } from "@pretrain/errors";
import { claimedAttempts, readClaim } from "./attempt-claims.ts";
import {
  type AttemptCheckpoint,
  type CheckpointId,
  checkpointName,
  checkpointsPrefix,
  manifestKey,
  parseManifestKey,
  parseRemovalKey,
} from "./checkpoint-keys.ts";
import { lineage, type Resumption } from "./lineage.ts";
import { type CheckpointManifest, decodeManifest } from "./manifest.ts";

export interface SealedCheckpoint {
  readonly manifest: CheckpointManifest;
  /** SHA-256 of the manifest's bytes, in lower-case hex: the identity of the whole checkpoint. */
  readonly manifestSha256: string;
}

/** One that counts and cannot be used. */
export interface DamagedCheckpoint extends AttemptCheckpoint {
  readonly fault: DataLoss;
}

/** One that counts and is removed, or about to be. */
export interface RemovalId extends AttemptCheckpoint {
  /** Key of what is known of it. */
  readonly removal: string;
  /** False while it is still there: its remover was stopped, or somebody holds it. */
  readonly isGone: boolean;
}

export interface CheckpointList {
  /** Complete ones, by micro-step, at most one of each. Their digests are compared when they are read, not here. */
  readonly checkpoints: readonly SealedCheckpoint[];
  /** By micro-step. One that is about to be removed is not among the complete ones. */
  readonly removed: readonly RemovalId[];
  readonly damaged: readonly DamagedCheckpoint[];
  /** Claims that cannot be read. They are taken to go on from the beginning, so that no checkpoint counts that may not. */
  readonly damagedClaims: readonly DataLoss[];
  /** The last attempt that is claimed; 0: none. Whoever then gets the number behind it has seen every earlier claim. */
  readonly lastAttempt: number;
}

const manifestLimitBytes = 64 * 1024;

/** All checkpoints of an experiment that count; none, when there is no such experiment. */
export async function listCheckpoints(blobs: BlobStore, experiment: string): Promise<CheckpointList> {
  for (let looks = 1; ; looks += 1) {
    const list = await lookedAt(blobs, experiment);
    // Those that came since the keys were listed are missing in it: what goes makes room for what has come.
    if (!list.hasVanished || looks === mostLooks) return list;
  }
}

/** Each further look is owed to a checkpoint that was removed during the one before. */
const mostLooks = 100;

async function lookedAt(blobs: BlobStore, experiment: string): Promise<CheckpointList & { hasVanished: boolean }> {
  const found = await countingIds(blobs, experiment, checkpointsPrefix(experiment));
  const { counting, removed, damagedClaims, lastAttempt } = found;
  const checkpoints: SealedCheckpoint[] = [];
  const damaged: DamagedCheckpoint[] = [];
  let hasVanished = false;
  for (const id of counting) {
    if (removed.some((each) => each.microStep === id.microStep)) continue;
    try {
      checkpoints.push(await readAttemptManifest(blobs, id));
    } catch (error) {
      if (error instanceof NotFound) hasVanished = true;
      else if (error instanceof DataLoss) damaged.push({ ...id, fault: error });
      else throw error;
    }
  }
  return { checkpoints, removed, damaged, damagedClaims, lastAttempt, hasVanished };
}

/**
 * The manifest of the checkpoint that counts at this micro-step, if it is complete.
 *
 * @throws NotFound when there is none, which says whether it was removed on purpose; DataLoss naming it when manifest or parts
 *   are damaged
 */
export async function readManifest(blobs: BlobStore, id: CheckpointId): Promise<SealedCheckpoint> {
  const { counting, removed } = await countingIds(blobs, id.experiment, `${checkpointName(id)}/`);
  const [found] = counting;
  if (found === undefined) throw removed.length > 0 ? removedError(id) : notFound(id);
  return await readAttemptManifest(blobs, found);
}

/** The manifest that this attempt wrote, whether it counts or not, if it is complete. @throws as `readManifest` does */
async function readAttemptManifest(blobs: BlobStore, id: AttemptCheckpoint): Promise<SealedCheckpoint> {
  const bytes = await manifestBytes(blobs, id);
  const manifest = decodeManifest(bytes, id);
  for (const { name, blob, sizeBytes } of manifest.parts) {
    const found = await blobs.stat(blob);
    if (found?.sizeBytes === sizeBytes) continue;
    if ((await blobs.stat(manifestKey(id))) === undefined) throw notFound(id); // it is being removed, manifest first
    const fault = found === undefined ? "is missing" : `has ${found.sizeBytes} bytes, not ${sizeBytes}`;
    throw new DataLoss("CHECKPOINT_INCOMPLETE", `${checkpointName(id)}: ${name} ${fault} (${blob})`, { part: name });
  }
  return { manifest, manifestSha256: sha256Hex(bytes) };
}

async function manifestBytes(blobs: BlobStore, id: AttemptCheckpoint): Promise<Uint8Array> {
  const key = manifestKey(id);
  const found = await blobs.stat(key);
  if (found === undefined) throw notFound(id);
  if (found.sizeBytes <= manifestLimitBytes) return await blobs.read(key);
  const message = `${key}: has ${found.sizeBytes} bytes; a manifest has at most ${manifestLimitBytes}`;
  throw new DataLoss("CHECKPOINT_INVALID", message, { file: key });
}

function notFound(id: CheckpointId): NotFound {
  const name = checkpointName(id);
  return new NotFound("CHECKPOINT_NOT_FOUND", `there is no complete checkpoint ${name}`, { checkpoint: name });
}

/** For whoever asks for a checkpoint that was removed, or is about to be. */
export function removedError(id: CheckpointId): NotFound {
  const name = checkpointName(id);
  const message = `${name} was removed, as its recipe's keep_last, keep_best and keep_every say; take a later checkpoint`;
  return new NotFound("CHECKPOINT_REMOVED", message, { checkpoint: name });
}

/**
 * Whose manifests count, by micro-step, and of several at one micro-step the last attempt's. Claims are looked at behind
 * the manifests: a manifest written after a claim that it does not count beside is never seen without that claim.
 */
async function countingIds(blobs: BlobStore, experiment: string, prefix: string) {
  const written: AttemptCheckpoint[] = [];
  const removals: (AttemptCheckpoint & { readonly removal: string })[] = [];
  for await (const { key } of blobs.list(prefix)) {
    const id = parseManifestKey(key);
    if (id !== undefined) written.push(id);
    const removed = parseRemovalKey(key);
    if (removed !== undefined) removals.push({ ...removed, removal: key });
  }
  const attempts = await claimedAttempts(blobs, experiment);
  const first = Math.min(...[...written, ...removals].map(({ attempt }) => attempt));
  const later = attempts.filter((attempt) => attempt > first); // no earlier claim decides about any of them
  const { resumptions, damagedClaims } = await readResumptions(blobs, experiment, later);
  const counts = lineage(resumptions);
  const counting = lastOfEachStep(written.filter(counts));
  const isThere = (id: AttemptCheckpoint) => written.some((each) => isSame(each, id));
  const removed = lastOfEachStep(removals.filter(counts)).map((id) => ({ ...id, isGone: !isThere(id) }));
  // A removal says something of the one that counts, and of no other one at its micro-step.
  const relevant = removed.filter((id) =>
    counting.every((each) => each.microStep !== id.microStep || isSame(each, id)),
  );
  return { counting, removed: relevant, damagedClaims, lastAttempt: attempts.at(-1) ?? 0 };
}

function lastOfEachStep<T extends AttemptCheckpoint>(ids: readonly T[]): T[] {
  const byStep = Map.groupBy(ids, ({ microStep }) => microStep);
  const last = [...byStep.values()].map((group) => group.reduce((a, b) => (a.attempt >= b.attempt ? a : b)));
  return last.sort((a, b) => a.microStep - b.microStep);
}

function isSame(a: AttemptCheckpoint, b: AttemptCheckpoint): boolean {
  return a.attempt === b.attempt && a.microStep === b.microStep;
}

/** Claims are small and, on a store far away, slow to come one by one. */
const claimsAtOnce = 16;

async function readResumptions(blobs: BlobStore, experiment: string, attempts: readonly number[]) {
  const resumptions: Resumption[] = [];
  const damagedClaims: DataLoss[] = [];
  for (let i = 0; i < attempts.length; i += claimsAtOnce) {
    const claims = attempts.slice(i, i + claimsAtOnce).map(async (attempt) => {
      try {
        return await readClaim(blobs, experiment, attempt);
      } catch (error) {
        if (!(error instanceof DataLoss)) throw error;
        damagedClaims.push(error);
        return { attempt, resumesFrom: 0 };
      }
    });
    resumptions.push(...(await Promise.all(claims)));
  }
  return { resumptions, damagedClaims };
}
