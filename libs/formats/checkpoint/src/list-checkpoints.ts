/** Which checkpoints there are: those with a manifest, all of whose parts are there in full length. */
import { type BlobStore, sha256Hex } from "@pretrain/blobs";
import { DataLoss, NotFound } from "@pretrain/errors";
import {
  type CheckpointId,
  checkpointName,
  checkpointsPrefix,
  manifestKey,
  parseCheckpointName,
} from "./checkpoint-keys.ts";
import { type CheckpointManifest, decodeManifest } from "./manifest.ts";

export interface SealedCheckpoint {
  readonly manifest: CheckpointManifest;
  /** SHA-256 of the manifest's bytes, in lower-case hex: the identity of the whole checkpoint. */
  readonly manifestSha256: string;
}

export interface CheckpointList {
  /** Complete ones, by micro-step. Their digests are compared when they are read, not here. */
  readonly checkpoints: readonly SealedCheckpoint[];
  /** Why the others that have a manifest cannot be used. */
  readonly damaged: readonly DataLoss[];
}

const manifestLimitBytes = 64 * 1024;

/** All checkpoints of an experiment; none, when there is no such experiment. */
export async function listCheckpoints(blobs: BlobStore, experiment: string): Promise<CheckpointList> {
  const checkpoints: SealedCheckpoint[] = [];
  const damaged: DataLoss[] = [];
  for (const id of await sealedIds(blobs, experiment)) {
    try {
      checkpoints.push(await readManifest(blobs, id));
    } catch (error) {
      if (!(error instanceof DataLoss)) throw error;
      damaged.push(error);
    }
  }
  return { checkpoints, damaged };
}

/**
 * The manifest of a checkpoint, if it is complete.
 *
 * @throws NotFound when there is none; DataLoss naming it when manifest or parts are damaged
 */
export async function readManifest(blobs: BlobStore, id: CheckpointId): Promise<SealedCheckpoint> {
  const bytes = await manifestBytes(blobs, id);
  const manifest = decodeManifest(bytes, id);
  for (const { name, blob, sizeBytes } of manifest.parts) {
    const found = await blobs.stat(blob);
    if (found?.sizeBytes === sizeBytes) continue;
    const fault = found === undefined ? "is missing" : `has ${found.sizeBytes} bytes, not ${sizeBytes}`;
    throw new DataLoss("CHECKPOINT_INCOMPLETE", `${checkpointName(id)}: ${name} ${fault} (${blob})`, { part: name });
  }
  return { manifest, manifestSha256: sha256Hex(bytes) };
}

async function manifestBytes(blobs: BlobStore, id: CheckpointId): Promise<Uint8Array> {
  const key = manifestKey(id);
  const found = await blobs.stat(key);
  if (found === undefined) {
    const name = checkpointName(id);
    throw new NotFound("CHECKPOINT_NOT_FOUND", `there is no complete checkpoint ${name}`, { checkpoint: name });
  }
  if (found.sizeBytes <= manifestLimitBytes) return await blobs.read(key);
  const message = `${key}: has ${found.sizeBytes} bytes; a manifest has at most ${manifestLimitBytes}`;
  throw new DataLoss("CHECKPOINT_INVALID", message, { file: key });
}

async function sealedIds(blobs: BlobStore, experiment: string): Promise<CheckpointId[]> {
  const ids: CheckpointId[] = [];
  for await (const { key } of blobs.list(checkpointsPrefix(experiment))) {
    const folder = key.endsWith("/manifest.json") ? key.slice(0, -"/manifest.json".length) : "";
    if (/\/checkpoints\/(0|[1-9][0-9]{0,14})$/.test(folder)) ids.push(parseCheckpointName(folder));
  }
  return ids.sort((a, b) => a.microStep - b.microStep);
}
