/**
 * Who still needs a checkpoint, and how one is removed. Two who come at the same moment, a reader and a remover, each write
 * first and look then, so that one of them sees the other:
 *
 *     reader    writes its hold       looks for removals: one is there ── takes the hold back, reads nothing
 *                                                         none ── reads, as often as it likes, until it lets go
 *     remover   writes its removal    looks for holds:    one is there ── takes the removal back, removes nothing
 *                                                         none ── removes manifest and parts
 *
 * A removal has a name of its own, so any number of removers may come at once, be killed anywhere, or wake up after an hour:
 * one that has seen no hold has left a removal behind, and nobody has begun to read since. What an attempt goes on from it
 * holds until it is loaded, longer than it takes to claim; so a remover that sees neither hold nor a new claim is not in its way. That removal stays for good: it
 * tells a checkpoint that was removed on purpose from one that is missing.
 *
 *     experiments/<id>/checkpoints/<micro-step>/holds/<holder>.json
 *     experiments/<id>/checkpoints/<micro-step>/removals/<attempt>-<mark>.json
 */
import type { BlobStore } from "@pretrain/blobs";
import type { AttemptClaim } from "./attempt-claims.ts";
import {
  type AttemptCheckpoint,
  type CheckpointId,
  checkpointName,
  checkpointsPrefix,
  removalPrefix,
} from "./checkpoint-keys.ts";
import { readManifest, removedError, type SealedCheckpoint } from "./list-checkpoints.ts";

/**
 * The checkpoint that counts at this micro-step, held from now on. Again by the same holder changes nothing.
 *
 * @param holder such as `fork-1-4-1` or `evaluation-1-4-0-40`: one segment of a key
 * @throws NotFound when there is none or it is being removed; DataLoss when it is damaged. No hold is made then
 */
export async function acquireCheckpoint(blobs: BlobStore, id: CheckpointId, holder: string): Promise<SealedCheckpoint> {
  const key = holdKey(id, holder);
  const isHeld = (await blobs.stat(key)) !== undefined; // who holds it already need not care who came since
  if (!isHeld) await blobs.put(key, new TextEncoder().encode(`${JSON.stringify({ holder })}\n`));
  try {
    const sealed = await readManifest(blobs, id);
    if (!isHeld && (await isBeingRemoved(blobs, sealed.manifest))) throw removedError(id);
    return sealed;
  } catch (error) {
    if (!isHeld) await blobs.delete(key);
    throw error;
  }
}

/** Lets it go; without effect when it is not held. */
export async function releaseCheckpoint(blobs: BlobStore, id: CheckpointId, holder: string): Promise<void> {
  await blobs.delete(holdKey(id, holder));
}

/** Who holds it, in alphabetical order. */
export async function checkpointHolders(blobs: BlobStore, id: CheckpointId): Promise<string[]> {
  const prefix = holdsPrefix(id);
  const keys = await Array.fromAsync(blobs.list(prefix), ({ key }) => key.slice(prefix.length));
  return keys
    .filter((key) => key.endsWith(".json"))
    .map((key) => key.slice(0, -".json".length))
    .sort();
}

/** Under which name an attempt holds what it goes on from. The nonce is that of its claim, made or about to be made. */
export function attemptHolder({ attempt, nonce }: Pick<AttemptClaim, "attempt" | "nonce">): string {
  return `attempt-${attempt}-${nonce}`;
}

/** Whether it is the name of an attempt that a later one has fenced off: it needs nothing any more, if it lives at all. */
export function isFencedHolder(holder: string, lastAttempt: number): boolean {
  return Number(attemptHolderPattern.exec(holder)?.[1] ?? lastAttempt) < lastAttempt;
}

/** Takes back what attempts hold that have died, or lost the number to this claim, before they could let go. */
export async function releaseFencedHolds(blobs: BlobStore, claim: AttemptClaim): Promise<void> {
  for await (const { key } of blobs.list(checkpointsPrefix(claim.experiment))) {
    const [, holder = ""] = /\/holds\/([^/]+)\.json$/.exec(key) ?? [];
    const attempt = Number(attemptHolderPattern.exec(holder)?.[1] ?? Number.POSITIVE_INFINITY);
    if (attempt <= claim.attempt && holder !== attemptHolder(claim)) await blobs.delete(key);
  }
}

const attemptHolderPattern = /^attempt-([1-9][0-9]{0,5})-/;

async function isBeingRemoved(blobs: BlobStore, id: AttemptCheckpoint): Promise<boolean> {
  for await (const _ of blobs.list(removalPrefix(id))) return true;
  return false;
}

function holdsPrefix(id: CheckpointId): string {
  return `${checkpointName(id)}/holds/`;
}

function holdKey(id: CheckpointId, holder: string): string {
  return `${holdsPrefix(id)}${holder}.json`;
}
