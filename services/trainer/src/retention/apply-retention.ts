/** One look at an experiment's checkpoints: what its recipe does not keep is removed, unless somebody reads it. */
import { randomUUID } from "node:crypto";
import type { BlobStore } from "@pretrain/blobs";
import {
  type CheckpointList,
  checkpointName,
  isFencedHolder,
  listCheckpoints,
  type RemovedCheckpoint,
  readRemoval,
  removeCheckpoint,
  type SealedCheckpoint,
  sweepParts,
  sweepUnsealed,
  verifyCheckpoint,
} from "@pretrain/checkpoint";
import { DataLoss } from "@pretrain/errors";
import type { Log } from "@pretrain/observability";
import { isForgottenHolder } from "../explanation/explanation-holds.ts";
import { readResults } from "./evaluation-results.ts";
import { type Retention, toRemove } from "./retention-rule.ts";

export interface RetentionDependencies {
  readonly blobs: BlobStore;
  /** Says that a checkpoint is removed. */
  readonly announce: (removed: RemovedCheckpoint) => Promise<void>;
  readonly now: () => Date;
  readonly log: Log;
  /** Digests of manifests of which every byte was read and found right by this process. */
  readonly verified: Set<string>;
  /** Removals behind which this process has looked for files that a death left. */
  readonly swept: Set<string>;
}

/**
 * Nothing is removed before the newest checkpoint was read again, whole: it is what an attempt would go on from. May be done
 * by several processes at once, and be stopped anywhere.
 */
export async function applyRetention(
  dependencies: RetentionDependencies,
  experiment: string,
  retention: Retention,
): Promise<void> {
  const { blobs, log } = dependencies;
  const list = await listCheckpoints(blobs, experiment);
  if (list.damagedClaims.length > 0) {
    log.warn({ experiment }, "no checkpoint is removed: a claim is damaged, so it is not known which ones count");
    return;
  }
  const doomed = await doomedOf(blobs, experiment, list, retention);
  await sweepRemoved(dependencies, list);
  await sweepUnsealed(blobs, experiment, list.lastAttempt);
  const unfinished = list.removed.filter(({ isGone }) => !isGone);
  if (doomed.length + unfinished.length === 0 || !(await isNewestWhole(dependencies, list.checkpoints))) return;
  const removal = removalBy(dependencies, list.lastAttempt, ruleText(retention));
  for (const sealed of doomed) await removal(sealed);
  for (const id of unfinished) {
    const known = await readRemoval(blobs, id.removal, id);
    if (known !== undefined) await removal(known);
  }
}

/** A remover that died behind the manifest has left parts. */
async function sweepRemoved({ blobs, swept }: RetentionDependencies, { removed }: CheckpointList): Promise<void> {
  for (const id of removed) {
    if (!id.isGone || swept.has(id.removal)) continue;
    await sweepParts(blobs, id);
    if (swept.size >= 100_000) swept.clear();
    swept.add(id.removal);
  }
}

async function doomedOf(
  blobs: BlobStore,
  experiment: string,
  list: CheckpointList,
  retention: Retention,
): Promise<SealedCheckpoint[]> {
  const resultOf = await readResults(blobs, experiment);
  const known = list.checkpoints.map((sealed) => {
    const { microStep, final } = sealed.manifest;
    return { microStep, final, result: resultOf(sealed) };
  });
  const removed = list.removed.map(({ microStep }) => microStep);
  const doomed = new Set(toRemove(known, removed, retention));
  return list.checkpoints.filter(({ manifest }) => doomed.has(manifest.microStep));
}

async function isNewestWhole(
  { blobs, verified, log }: RetentionDependencies,
  checkpoints: readonly SealedCheckpoint[],
): Promise<boolean> {
  const newest = checkpoints.at(-1);
  if (newest === undefined) return false;
  if (verified.has(newest.manifestSha256)) return true;
  try {
    await verifyCheckpoint(blobs, newest);
    if (verified.size >= 1_000) verified.clear();
    verified.add(newest.manifestSha256);
    return true;
  } catch (error) {
    if (!(error instanceof DataLoss)) throw error;
    const checkpoint = checkpointName(newest.manifest);
    log.error({ checkpoint, reason: error.message }, "no checkpoint is removed: the newest one is damaged");
    return false;
  }
}

function removalBy({ blobs, announce, now, log }: RetentionDependencies, lastAttempt: number, rule: string) {
  const isVoid = (holder: string) => isFencedHolder(holder, lastAttempt) || isForgottenHolder(holder, now());
  return async (sealed: SealedCheckpoint): Promise<boolean> => {
    const removal = { mark: randomUUID(), time: now().toISOString(), rule, lastAttempt, isVoid, announce };
    const isRemoved = await removeCheckpoint(blobs, sealed, removal);
    const checkpoint = checkpointName(sealed.manifest);
    log.info(
      { checkpoint, rule },
      isRemoved ? "checkpoint removed" : "a checkpoint that somebody reads is kept for now",
    );
    return isRemoved;
  };
}

function ruleText({ keepLast, keepBest, keepEvery }: Retention): string {
  return `kept are keep_last ${keepLast}, keep_best ${keepBest}, keep_every ${keepEvery}`;
}
