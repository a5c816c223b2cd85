/** From where an attempt goes on: the newest checkpoint of which every byte is as it was written. */
import type { BlobStore } from "@pretrain/blobs";
import { checkpointName, listCheckpoints, type SealedCheckpoint, verifyCheckpoint } from "@pretrain/checkpoint";
import { DataLoss } from "@pretrain/errors";

export interface LastCheckpoint {
  /** Undefined: from the beginning. */
  readonly resume: SealedCheckpoint | undefined;
  /** Why newer ones cannot be used. */
  readonly damaged: readonly string[];
  /** The last attempt that is claimed; 0: none. */
  readonly lastAttempt: number;
}

/** @param recipeSha256 a checkpoint of another recipe is none of this experiment's */
export async function lastCheckpoint(
  blobs: BlobStore,
  experiment: string,
  recipeSha256: string,
): Promise<LastCheckpoint> {
  const { checkpoints, damaged, damagedClaims, lastAttempt } = await listCheckpoints(blobs, experiment);
  const reasons = [...damagedClaims, ...damaged.map(({ fault }) => fault)].map(({ message }) => message);
  for (const sealed of checkpoints.toReversed()) {
    const fault = await faultOf(blobs, sealed, recipeSha256);
    if (fault === undefined) return { resume: sealed, damaged: reasons, lastAttempt };
    reasons.push(fault);
  }
  return { resume: undefined, damaged: reasons, lastAttempt };
}

async function faultOf(blobs: BlobStore, sealed: SealedCheckpoint, recipeSha256: string): Promise<string | undefined> {
  if (sealed.manifest.recipeSha256 !== recipeSha256)
    return `${checkpointName(sealed.manifest)} belongs to another recipe`;
  try {
    await verifyCheckpoint(blobs, sealed);
    return undefined;
  } catch (error) {
    if (error instanceof DataLoss) return error.message;
    throw error;
  }
}
