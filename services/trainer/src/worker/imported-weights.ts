/** The weights of an imported experiment, if the files still are those that its record vouches for. */
import type { BlobStore } from "@pretrain/blobs";
import { DataLoss, FailedPrecondition, NotFound } from "@pretrain/errors";
import { type ReadFile, readWeights, weightsFolder } from "@pretrain/hugging-face";
import type { ModelShape } from "@pretrain/model";
import { llamaShapeOf } from "../experiment/model-shape.ts";

export interface ImportedFiles {
  /** Such as `imports/minimind`. */
  readonly source: string;
  /** As they were when the experiment was made. */
  readonly files: readonly ReadFile[];
}

/** @throws DataLoss when they are gone, damaged, or others */
export async function importedWeights(
  blobs: BlobStore,
  { source, files }: ImportedFiles,
  shape: ModelShape,
): Promise<ReadonlyMap<string, Float32Array>> {
  const weights = new Map<string, Float32Array>();
  const take = (name: string, data: Float32Array) => void weights.set(name, data);
  const read = await readFolder(blobs, source, shape, take).catch((error: unknown) => {
    throw error instanceof FailedPrecondition || error instanceof NotFound ? unusable(source, error.message) : error;
  });
  for (const [i, { name, sha256 }] of files.entries()) {
    const found = read.files[i];
    if (found?.name === name && found.sha256 === sha256) continue;
    throw unusable(source, `${name} has another SHA-256 than ${sha256}, or is not read any more`);
  }
  return weights;
}

async function readFolder(
  blobs: BlobStore,
  source: string,
  shape: ModelShape,
  take: (name: string, data: Float32Array) => void,
) {
  return await readWeights(blobs, await weightsFolder(blobs, source), llamaShapeOf(shape), take);
}

function unusable(source: string, fault: string): DataLoss {
  const message = `${source}, which this experiment is imported from, has changed: ${fault}; import it anew`;
  return new DataLoss("IMPORT_CHANGED", message, { source });
}
