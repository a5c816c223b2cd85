/** Reading a checkpoint back: every byte by its digest, every tensor by name, type and shape, nothing more and nothing less. */
import { createHash } from "node:crypto";
import { type BlobStore, verifiedRead } from "@pretrain/blobs";
import { DataLoss, NotFound } from "@pretrain/errors";
import { type Dtype, decodeSafetensors, type StoredTensor } from "@pretrain/safetensors";
import { checkpointName } from "./checkpoint-keys.ts";
import type { SealedCheckpoint } from "./list-checkpoints.ts";
import type { CheckpointManifest, PartName, StoredPart } from "./manifest.ts";
import { type CheckpointState, decodeState } from "./state.ts";

export interface TensorKind {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

/** What a part must hold, by name. */
export type ExpectedTensors = ReadonlyMap<string, TensorKind>;

export interface Checkpoint {
  readonly model: ReadonlyMap<string, StoredTensor>;
  readonly optimizer: ReadonlyMap<string, StoredTensor>;
  readonly state: CheckpointState;
}

/**
 * The whole checkpoint.
 *
 * @param recipeSha256 of the experiment that it must belong to
 * @throws DataLoss naming part, tensor and fault when a byte is damaged, a part missing, a tensor missing, unknown or of
 *   another type or shape, or the checkpoint one of another recipe
 */
export async function readCheckpoint(
  blobs: BlobStore,
  { manifest }: SealedCheckpoint,
  expected: { readonly model: ExpectedTensors; readonly optimizer: ExpectedTensors; readonly recipeSha256: string },
): Promise<Checkpoint> {
  if (manifest.recipeSha256 !== expected.recipeSha256) {
    throw foreign(manifest, `belongs to the recipe ${manifest.recipeSha256}, not to ${expected.recipeSha256}`);
  }
  const state = await readCheckpointState(blobs, { manifest });
  // One is read while the digest of the other is computed.
  const [model, optimizer] = await Promise.all([
    readTensors(blobs, manifest, "model.safetensors", expected.model),
    readTensors(blobs, manifest, "optimizer.safetensors", expected.optimizer),
  ]);
  return { state, model, optimizer };
}

/**
 * Compares every byte with its digest, without holding more than a piece of it.
 *
 * @throws DataLoss naming the part that is damaged or missing
 */
export async function verifyCheckpoint(
  blobs: BlobStore,
  { manifest }: Pick<SealedCheckpoint, "manifest">,
): Promise<void> {
  for (const part of manifest.parts) await verifyPart(blobs, part);
}

/**
 * The weights alone, for those who measure.
 *
 * @throws DataLoss as `readCheckpoint` does
 */
export function readModel(
  blobs: BlobStore,
  { manifest }: Pick<SealedCheckpoint, "manifest">,
  expected: ExpectedTensors,
): Promise<ReadonlyMap<string, StoredTensor>> {
  return readTensors(blobs, manifest, "model.safetensors", expected);
}

/**
 * The state alone: a few hundred bytes.
 *
 * @throws DataLoss when it is damaged or does not agree with the manifest
 */
export async function readCheckpointState(
  blobs: BlobStore,
  { manifest }: Pick<SealedCheckpoint, "manifest">,
): Promise<CheckpointState> {
  const part = partOf(manifest, "state.json");
  const state = decodeState(await readPart(blobs, part), part.blob);
  const shared = [
    "experiment",
    "microStep",
    "optimizerStep",
    "epoch",
    "tokensSeen",
    "attempt",
    "attemptNonce",
  ] as const;
  const differing = [...shared, "recipeSha256" as const, "dataset" as const].find(
    (name) => state[name] !== manifest[name],
  );
  if (differing === undefined) return state;
  throw foreign(manifest, `its state says ${differing} ${state[differing]}, its manifest ${manifest[differing]}`);
}

async function readTensors(
  blobs: BlobStore,
  manifest: CheckpointManifest,
  name: PartName,
  expected: ExpectedTensors,
): Promise<ReadonlyMap<string, StoredTensor>> {
  const part = partOf(manifest, name);
  const { tensors } = decodeSafetensors(await readPart(blobs, part), part.blob);
  for (const fault of differences(tensors, expected)) {
    throw new DataLoss("CHECKPOINT_TENSORS", `${part.blob}: ${fault}`, { part: name });
  }
  return tensors;
}

function* differences(tensors: ReadonlyMap<string, StoredTensor>, expected: ExpectedTensors): Generator<string> {
  for (const [name, { dtype, shape }] of expected) {
    const found = tensors.get(name);
    const wanted = `${dtype} [${shape.join(", ")}]`;
    if (found === undefined) yield `the tensor ${name} of ${wanted} is missing`;
    else if (found.dtype !== dtype || found.shape.join() !== shape.join()) {
      yield `the tensor ${name} is ${found.dtype} [${found.shape.join(", ")}], not ${wanted}`;
    }
  }
  for (const name of tensors.keys()) {
    if (!expected.has(name)) yield `the tensor ${JSON.stringify(name.slice(0, 100))} is none of this model's`;
  }
}

function partOf(manifest: CheckpointManifest, name: PartName): StoredPart {
  const part = manifest.parts.find((candidate) => candidate.name === name);
  if (part !== undefined) return part;
  throw foreign(manifest, `has no part ${name}`);
}

function readPart(blobs: BlobStore, part: StoredPart): Promise<Uint8Array> {
  return present(part, () => verifiedRead(blobs, part.blob, part.sha256));
}

function verifyPart(blobs: BlobStore, part: StoredPart): Promise<void> {
  return present(part, async () => {
    const hash = createHash("sha256");
    for await (const piece of blobs.stream(part.blob)) hash.update(piece);
    const found = hash.digest("hex");
    if (found === part.sha256) return;
    const message = `${part.blob}: SHA-256 is ${found}, its manifest says ${part.sha256}; the part is damaged`;
    throw new DataLoss("DIGEST_MISMATCH", message, { part: part.name });
  });
}

/** A part that is gone is damage of the checkpoint, not a question for a name that does not exist. */
async function present<T>({ name, blob }: StoredPart, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (!(cause instanceof NotFound)) throw cause;
    throw new DataLoss("CHECKPOINT_INCOMPLETE", `${name} is missing (${blob})`, { part: name }, { cause });
  }
}

function foreign(manifest: CheckpointManifest, fault: string): DataLoss {
  const name = checkpointName(manifest);
  return new DataLoss("CHECKPOINT_FOREIGN", `${name}: ${fault}`, { checkpoint: name });
}
