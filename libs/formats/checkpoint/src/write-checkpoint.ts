/**
 * Writing a checkpoint. What a crash leaves at each point:
 *
 *     model   optimizer   state   manifest
 *       └────────┴──────────┴────────┤            parts that nobody lists; the checkpoint before this one is the last
 *                                    └─────────   this checkpoint, whole
 *
 * Parts are named by attempt and content, the manifest by its attempt: what one attempt wrote no other one ever changes.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type BlobStore, sha256Hex } from "@pretrain/blobs";
import { FailedPrecondition } from "@pretrain/errors";
import { encodeSafetensors, type StoredTensor } from "@pretrain/safetensors";
import { type AttemptCheckpoint, manifestKey, partKey } from "./checkpoint-keys.ts";
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
  const { experiment, microStep, attempt } = content.state;
  const id = { experiment, microStep, attempt };
  const metadata = { format: "pt" }; // whose they are stands in state and manifest: equal weights are equal files
  return [
    await writePart(blobs, id, "model.safetensors", () => encodeSafetensors(content.model, metadata)),
    await writePart(blobs, id, "optimizer.safetensors", () => encodeSafetensors(content.optimizer, metadata)),
    await writePart(blobs, id, "state.json", () => [encodeState(content.state)]),
  ];
}

/**
 * Creates the manifest: from now on the checkpoint exists, and counts unless a later attempt has begun (lineage.ts). Never a
 * second time: after an error nobody knows whether a power cut would leave it there, and a repetition could not find out.
 *
 * @throws FailedPrecondition CHECKPOINT_SEALED when this attempt has sealed one at this micro-step; the store's errors
 */
export async function sealCheckpoint(blobs: BlobStore, manifest: CheckpointManifest): Promise<SealedCheckpoint> {
  const bytes = encodeManifest(manifest);
  const key = manifestKey(manifest);
  if (await blobs.create(key, bytes)) return { manifest, manifestSha256: sha256Hex(bytes) };
  throw new FailedPrecondition("CHECKPOINT_SEALED", `${key} is sealed already; a seal is never changed`, { key });
}

/** The key holds the digest, so the pieces are gone through twice: once to name them, once to write them. */
async function writePart(
  blobs: BlobStore,
  id: AttemptCheckpoint,
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
