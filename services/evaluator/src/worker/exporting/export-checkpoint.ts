/** A checkpoint, loaded to be exported: once as it is evaluated with, once as the numbers that are written. */
import { type BlobStore, verifiedRead } from "@pretrain/blobs";
import { checkpointName } from "@pretrain/checkpoint";
import { readWeights } from "../load-model.ts";
import type { ModelShelf } from "../model-shelf.ts";
import type { ExportAnswer, ExportQuestion, ModelSource } from "../protocol.ts";
import { exportModel } from "./export-model.ts";
import { formats } from "./formats.ts";

/** @throws what loading the checkpoint and exporting the model throw */
export async function exportCheckpoint(
  blobs: BlobStore,
  shelf: Pick<ModelShelf, "borrow">,
  { source, format, folder, padHeadDim }: ExportQuestion,
): Promise<ExportAnswer> {
  const { model, release } = await shelf.borrow(source);
  try {
    const { weights } = await readWeights(blobs, source);
    const tokenizerJson = await verifiedRead(blobs, source.tokenizerBlob, source.tokenizerSha256);
    const options = { folder, padHeadDim, provenance: provenanceOf(source) };
    return await exportModel(blobs, { model, weights, tokenizerJson }, formats[format], options);
  } finally {
    release();
  }
}

function provenanceOf({ checkpoint, manifestSha256, tokenizerSha256 }: ModelSource): Record<string, string> {
  return {
    "pretrain.checkpoint": checkpointName(checkpoint),
    "pretrain.checkpoint_sha256": manifestSha256,
    "pretrain.tokenizer_sha256": tokenizerSha256,
  };
}
