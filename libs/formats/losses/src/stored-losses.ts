/** Losses in the blob store, beside the checkpoints of their experiment. */
import { createHash } from "node:crypto";
import { type BlobStore, verifiedRead } from "@pretrain/blobs";
import { FailedPrecondition } from "@pretrain/errors";
import type { KeptLosses } from "./kept-losses.ts";
import { decodeLosses, encodeLosses } from "./losses-file.ts";

/** A stored file: where, and what it holds. */
export interface LossesFile {
  readonly blob: string;
  /** SHA-256 of the blob, in hex. */
  readonly sha256: string;
}

/** 9 bytes for each target: some 119 million of them. Whoever compares holds two such files in memory. */
const limitBytes = 2 ** 30;

/**
 * Writes the losses under a key that has a part of their digest: two workers that measure the same never overwrite each other's, and
 * one that does it again after a crash writes the same blob. A crash behind it leaves a blob that nobody names.
 *
 * @param evaluation `{evaluation}` of `evaluations/{evaluation}`
 * @throws FailedPrecondition `LOSSES_TOO_LARGE` above 1 GiB; the store's errors
 */
export async function writeLosses(
  blobs: BlobStore,
  { experiment, evaluation }: { readonly experiment: string; readonly evaluation: string },
  losses: KeptLosses,
): Promise<LossesFile> {
  const pieces = [...encodeLosses(losses)];
  const sizeBytes = pieces.reduce((sum, { length }) => sum + length, 0);
  if (sizeBytes > limitBytes) throw tooLarge(`the losses of ${losses.rows.length} rows`, sizeBytes);
  const hash = createHash("sha256");
  for (const piece of pieces) hash.update(piece);
  const sha256 = hash.digest("hex");
  const blob = `experiments/${experiment}/evaluations/${evaluation}/losses-${sha256.slice(0, 16)}.safetensors`;
  await blobs.put(blob, asynchronous(pieces));
  return { blob, sha256 };
}

/**
 * The losses of a file that an evaluation names.
 *
 * @throws NotFound; DataLoss `DIGEST_MISMATCH`, `SAFETENSORS_INVALID`, `LOSSES_INVALID`; FailedPrecondition above 1 GiB
 */
export async function readLosses(blobs: BlobStore, { blob, sha256 }: LossesFile): Promise<KeptLosses> {
  const sizeBytes = (await blobs.stat(blob))?.sizeBytes ?? 0; // what is missing, the reading says
  if (sizeBytes > limitBytes) throw tooLarge(blob, sizeBytes);
  return decodeLosses(await verifiedRead(blobs, blob, sha256), blob);
}

function tooLarge(what: string, sizeBytes: number): FailedPrecondition {
  const message = `${what} take ${sizeBytes} bytes, at most ${limitBytes} are kept; use a smaller validation split`;
  return new FailedPrecondition("LOSSES_TOO_LARGE", message, { size_bytes: String(sizeBytes) });
}

async function* asynchronous<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items;
}
