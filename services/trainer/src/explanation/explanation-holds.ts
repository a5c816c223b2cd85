/**
 * Under which name a checkpoint is held while a replay loads it. Whoever is killed meanwhile leaves its hold behind and never comes
 * back for it, so the name says when it was made: one of yesterday is nobody's.
 */
import { randomUUID } from "node:crypto";
import type { BlobStore } from "@pretrain/blobs";
import { type CheckpointId, checkpointHolders, releaseCheckpoint } from "@pretrain/checkpoint";

/** Loading takes seconds. */
const longestMs = 24 * 3600 * 1000;

/** Another one each time: two explanations may load one checkpoint. */
export function explanationHolder(now: Date): string {
  return `explanation-${now.getTime()}-${randomUUID()}`;
}

/** Whether it is the name of an explanation that was killed before it could let go. */
export function isForgottenHolder(holder: string, now: Date): boolean {
  const madeMs = Number(/^explanation-(\d{1,15})-/.exec(holder)?.[1] ?? Number.POSITIVE_INFINITY);
  return now.getTime() - madeMs > longestMs;
}

/** Takes back what such explanations hold of this checkpoint. */
export async function releaseForgotten(blobs: BlobStore, checkpoint: CheckpointId, now: Date): Promise<void> {
  for (const holder of await checkpointHolders(blobs, checkpoint)) {
    if (isForgottenHolder(holder, now)) await releaseCheckpoint(blobs, checkpoint, holder);
  }
}
