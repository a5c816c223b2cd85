/**
 * Writing a checkpoint. What a crash leaves at each point:
 *
 *     model   optimizer   state   manifest
 *       └────────┴──────────┴────────┤            parts that nobody lists; the checkpoint before this one is the last
 *                                    └─────────   this checkpoint, whole
 *
 * Parts are named by their content, so a second attempt at the same step never changes bytes that a manifest vouches for.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type BlobStore, sha256Hex } from "@pretrain/blobs";
import { encodeSafetensors, type StoredTensor } from "@pretrain/safetensors";
import { type CheckpointId, manifestKey, partKey } from "./checkpoint-keys.ts";
import type { SealedCheckpoint } from "./list-checkpoints.ts";
import { type CheckpointManifest, encodeManifest, type PartName, type StoredPart } from "./manifest.ts";
import { type CheckpointState, encodeState } from "./state.ts";

export interface CheckpointContent {
  /** Weights by name. */
  readonly model: ReadonlyMap<string, StoredTensor>;
  /** The optimizer's tensors by name. */
  readonly optimizer: ReadonlyMap<string, StoredTensor>;
  readonly state: CheckpointState;
}

/**
 * Writes the three parts, durably, and returns what `sealCheckpoint` needs. The tensors must not change meanwhile.
 *
 * @throws ResourceExhausted when the disk is full, and the store's other errors
 */
export async function writeCheckpointParts(blobs: BlobStore, content: CheckpointContent): Promise<StoredPart[]> {
  const id = { experiment: content.state.experiment, microStep: content.state.microStep };
  const metadata = { format: "pt" }; // whose they are stands in state and manifest: equal weights are equal files
  return [
    await writePart(blobs, id, "model.safetensors", () => encodeSafetensors(content.model, metadata)),
    await writePart(blobs, id, "optimizer.safetensors", () => encodeSafetensors(content.optimizer, metadata)),
    await writePart(blobs, id, "state.json", () => [encodeState(content.state)]),
  ];
}

/**
 * Writes the manifest: from now on the checkpoint exists. Of two attempts at one step the later seal counts.
 *
 * @throws the store's errors
 */
export async function sealCheckpoint(blobs: BlobStore, manifest: CheckpointManifest): Promise<SealedCheckpoint> {
  const bytes = encodeManifest(manifest);
  await blobs.put(manifestKey(manifest), bytes);
  return { manifest, manifestSha256: sha256Hex(bytes) };
}

/** The key holds the digest, so the pieces are gone through twice: once to name them, once to write them. */
async function writePart(
  blobs: BlobStore,
  id: CheckpointId,
  name: PartName,
  pieces: () => Iterable<Uint8Array>,
): Promise<StoredPart> {
  const hash = createHash("sha256");
  for (const piece of pieces()) hash.update(piece);
  const sha256 = hash.digest("hex");
  const written = await blobs.put(partKey(id, name, sha256), asynchronous(pieces()));
  assert.equal(written.sha256, sha256, `${name} changed while it was written`);
  return { name, blob: written.key, sizeBytes: written.sizeBytes, sha256 };
}

async function* asynchronous(pieces: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* pieces;
}
