/**
 * A damaged checkpoint is moved aside: its manifest, with what was found beside it, goes to a folder where nobody looks for
 * one. Its parts stay where they are, for whoever wants to know what happened to them.
 *
 *     experiments/<id>/checkpoints/<micro-step>/quarantine/<attempt>.manifest.json
 *     experiments/<id>/checkpoints/<micro-step>/quarantine/<attempt>.reason.json
 */
import type { BlobStore } from "@pretrain/blobs";
import { type AttemptCheckpoint, checkpointName, manifestKey } from "./checkpoint-keys.ts";

/** After a crash anywhere it is still there and found to be damaged again, or moved. @param reason for a person */
export async function quarantineCheckpoint(blobs: BlobStore, id: AttemptCheckpoint, reason: string): Promise<void> {
  const aside = `${checkpointName(id)}/quarantine/${id.attempt}`;
  await blobs.put(`${aside}.reason.json`, new TextEncoder().encode(`${JSON.stringify({ reason }, null, 2)}\n`));
  const key = manifestKey(id);
  if ((await blobs.stat(key)) === undefined) return; // somebody else has moved it
  await blobs.put(`${aside}.manifest.json`, blobs.stream(key));
  await blobs.delete(key);
}
