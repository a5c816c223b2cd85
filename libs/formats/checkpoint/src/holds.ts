/**
 * Who still needs a checkpoint. A hold is a blob beside it, made by its holder before it reads the manifest, and taken away by
 * its holder. Whoever removes checkpoints looks for holds behind removing the manifest: of two who come at the same moment, one
 * sees the other.
 */
import type { BlobStore } from "@pretrain/blobs";
import { type CheckpointId, checkpointName } from "./checkpoint-keys.ts";

/** Holds the checkpoint; again changes nothing. @param holder such as `fork-1-4-1` or `evaluation-1-4-0-40`: one segment of a key */
export async function holdCheckpoint(blobs: BlobStore, id: CheckpointId, holder: string): Promise<void> {
  await blobs.put(holdKey(id, holder), new TextEncoder().encode(`${JSON.stringify({ holder })}\n`));
}

/** Lets it go; without effect when it is not held. */
export async function releaseCheckpoint(blobs: BlobStore, id: CheckpointId, holder: string): Promise<void> {
  await blobs.delete(holdKey(id, holder));
}

/** Who holds it, in alphabetical order. */
export async function checkpointHolders(blobs: BlobStore, id: CheckpointId): Promise<string[]> {
  const prefix = holdsPrefix(id);
  const keys = await Array.fromAsync(blobs.list(prefix), ({ key }) => key.slice(prefix.length));
  return keys.filter((key) => key.endsWith(".json")).map((key) => key.slice(0, -".json".length));
}

function holdsPrefix(id: CheckpointId): string {
  return `${checkpointName(id)}/holds/`;
}

function holdKey(id: CheckpointId, holder: string): string {
  return `${holdsPrefix(id)}${holder}.json`;
}
