/** From where an attempt goes on: the newest checkpoint of which every byte is as it was written, held until it is loaded. */
import { setTimeout as pause } from "node:timers/promises";
import type { BlobStore } from "@pretrain/blobs";
import {
  type AttemptCheckpoint,
  acquireCheckpoint,
  checkpointName,
  listCheckpoints,
  quarantineCheckpoint,
  type RemovalId,
  releaseCheckpoint,
  type SealedCheckpoint,
  verifyCheckpoint,
} from "@pretrain/checkpoint";
import { DataLoss, NotFound } from "@pretrain/errors";

/** A checkpoint, or a claim, that cannot be used. */
export interface Damage {
  readonly reason: string;
  /** Of a checkpoint of which bytes are damaged: to be moved aside when the record says so. */
  readonly checkpoint?: AttemptCheckpoint;
}

export interface LastCheckpoint {
  /** Undefined: from the beginning. */
  readonly resume: SealedCheckpoint | undefined;
  /** Why newer ones cannot be used. */
  readonly damaged: readonly Damage[];
  /** The last attempt that is claimed; 0: none. */
  readonly lastAttempt: number;
  /** Lets go of `resume`: when it is loaded, or not needed after all. */
  readonly release: () => Promise<void>;
}

/**
 * @param recipeSha256 a checkpoint of another recipe is none of this experiment's
 * @param holder under which it is held, made of the last attempt that is claimed   @param wait before another look
 */
export async function lastCheckpoint(
  blobs: BlobStore,
  experiment: string,
  recipeSha256: string,
  holder: (lastAttempt: number) => string,
  wait: () => Promise<unknown> = () => pause(undecidedMs),
): Promise<LastCheckpoint> {
  for (let looks = 1; ; looks += 1) {
    const { checkpoints, removed, damaged, damagedClaims, lastAttempt } = await listCheckpoints(blobs, experiment);
    if (isUndecided(checkpoints, removed) && looks < mostLooks) {
      await wait();
      continue;
    }
    const known: Damage[] = [
      ...damagedClaims.map(({ message }) => ({ reason: message })),
      ...damaged.map(({ fault, experiment, microStep, attempt }) => ({
        reason: fault.message,
        checkpoint: { experiment, microStep, attempt },
      })),
    ];
    const found = await newestWhole({ blobs, recipeSha256, holder: holder(lastAttempt) }, checkpoints);
    if (found === "removed meanwhile") continue; // it is looked at again
    return { ...found, damaged: [...known, ...found.damaged], lastAttempt };
  }
}

/**
 * Whether the newest one that is not gone is about to be removed. Its remover takes that back in a moment if it turns out to
 * be the newest; one that was killed in that moment never does, and then the one before it has to do.
 */
function isUndecided(checkpoints: readonly SealedCheckpoint[], removed: readonly RemovalId[]): boolean {
  const newest = checkpoints.at(-1)?.manifest.microStep ?? 0;
  return removed.some(({ microStep, isGone }) => !isGone && microStep > newest);
}

const undecidedMs = 200;
const mostLooks = 30;

interface Search {
  readonly blobs: BlobStore;
  readonly recipeSha256: string;
  readonly holder: string;
}

async function newestWhole(search: Search, checkpoints: readonly SealedCheckpoint[]) {
  const damaged: Damage[] = [];
  for (const sealed of checkpoints.toReversed()) {
    const fault = await faultOf(search, sealed);
    if (fault === "removed meanwhile") return fault;
    const release = () => releaseCheckpoint(search.blobs, sealed.manifest, search.holder);
    if (fault === undefined) return { resume: sealed, damaged, release };
    damaged.push(fault);
  }
  return { resume: undefined, damaged, release: async () => {} };
}

/** Undefined when it is whole, and then it is held. */
async function faultOf(
  { blobs, recipeSha256, holder }: Search,
  sealed: SealedCheckpoint,
): Promise<Damage | "removed meanwhile" | undefined> {
  const { manifest } = sealed;
  if (manifest.recipeSha256 !== recipeSha256) {
    return { reason: `${checkpointName(manifest)} belongs to another recipe` };
  }
  try {
    await acquireCheckpoint(blobs, manifest, holder);
    await verifyCheckpoint(blobs, sealed);
    return undefined;
  } catch (error) {
    await releaseCheckpoint(blobs, manifest, holder);
    if (error instanceof NotFound) return "removed meanwhile";
    if (!(error instanceof DataLoss)) throw error;
    const { experiment, microStep, attempt } = manifest;
    return { reason: error.message, checkpoint: { experiment, microStep, attempt } };
  }
}

/** Moves what is damaged aside, so that nobody tries it again. To be called when the record says that it is. */
export async function quarantine(blobs: BlobStore, damaged: readonly Damage[]): Promise<void> {
  for (const { checkpoint, reason } of damaged) {
    if (checkpoint !== undefined) await quarantineCheckpoint(blobs, checkpoint, reason);
  }
}
