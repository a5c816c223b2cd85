/**
 * The parent's checkpoint is held for a fork from its call until the fork has a checkpoint of its own, or has ended. That it is
 * held is written in the fork's record, before it is done, so that no hold is ever left without an owner:
 *
 *     record of the fork ── hold ── work enqueued ── … ── own checkpoint ── hold taken back ── record
 *               └─────────────┴─ a crash here: the sweep makes the hold         └─ and here: it takes it back
 */
import type { BlobStore } from "@pretrain/blobs";
import {
  acquireCheckpoint,
  type CheckpointId,
  listCheckpoints,
  parseCheckpointName,
  releaseCheckpoint,
} from "@pretrain/checkpoint";
import { DataLoss, NotFound } from "@pretrain/errors";
import { isFinal } from "../experiment/lifecycle.ts";
import { experimentOf, marked } from "../experiment/record.ts";
import type { Experiments, Found } from "./experiments.ts";

export interface Stores {
  readonly experiments: Experiments;
  readonly blobs: BlobStore;
}

/** Under which name a fork holds its parent's checkpoint. */
export function forkHolder(id: string): string {
  return `fork-${id}`;
}

/** Makes the hold that the record speaks of, or takes it back where it is not needed any more. */
export async function tendOrigin({ experiments, blobs }: Stores, found: Found): Promise<Found> {
  const { key: id, value } = found;
  const { origin, state } = experimentOf(value);
  if (origin === undefined || !value.originHeld) return found;
  const checkpoint = parseCheckpointName(origin.checkpoint);
  const holder = forkHolder(id);
  if (!isFinal(state) && !(await hasOwnCheckpoint(blobs, id))) {
    await hold(blobs, checkpoint, holder);
    return found;
  }
  await releaseCheckpoint(blobs, checkpoint, holder);
  return await experiments.change(id, ({ value: newest }) => marked(newest, { originHeld: false }));
}

/** Where it cannot be read any more there is nothing to hold: the fork's first attempt finds out, and says so. */
async function hold(blobs: BlobStore, checkpoint: CheckpointId, holder: string): Promise<void> {
  try {
    await acquireCheckpoint(blobs, checkpoint, holder);
  } catch (error) {
    if (!(error instanceof NotFound || error instanceof DataLoss)) throw error;
  }
}

async function hasOwnCheckpoint(blobs: BlobStore, id: string): Promise<boolean> {
  return (await listCheckpoints(blobs, id)).checkpoints.length > 0;
}
