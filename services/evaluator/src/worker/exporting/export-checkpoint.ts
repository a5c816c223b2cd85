/** A checkpoint, loaded to be exported: once as it is evaluated with, once as the numbers that are written. */
import { toJsonString } from "@bufbuild/protobuf";
import { type BlobStore, sha256Hex, verifiedRead } from "@pretrain/blobs";
import { checkpointName } from "@pretrain/checkpoint";
import { CertificateSchema } from "@pretrain/proto";
import { certificateMessage, type ModelCertificate } from "../../evaluation/certificate.ts";
import { certified } from "../certification/certified.ts";
import { readWeights } from "../load-model.ts";
import type { ModelShelf } from "../model-shelf.ts";
import type { ExportAnswer, ExportQuestion, ModelSource } from "../protocol.ts";
import { exportModel } from "./export-model.ts";
import { evaluatedText } from "./export-proof.ts";
import { formats } from "./formats.ts";

/**
 * @throws FailedPrecondition FAILED_CERTIFICATION when the code that the files would be held against cannot be believed; what loading the
 *   checkpoint and exporting the model throw
 */
export async function exportCheckpoint(
  blobs: BlobStore,
  shelf: Pick<ModelShelf, "borrow">,
  { source, format, folder, padHeadDim }: ExportQuestion,
): Promise<ExportAnswer> {
  const { model, release } = await shelf.borrow(source);
  try {
    const evaluated = await evaluatedText(model);
    const certificate = await certified(model); // also in the shape in which that text was scored
    const { weights } = await readWeights(blobs, source);
    const tokenizerJson = await verifiedRead(blobs, source.tokenizerBlob, source.tokenizerSha256);
    const options = { folder, padHeadDim, provenance: provenanceOf(source, certificate) };
    const exported = { model, weights, tokenizerJson, evaluated };
    return { certificate, ...(await exportModel(blobs, exported, formats[format], options)) };
  } finally {
    release();
  }
}

function provenanceOf(source: ModelSource, certificate: ModelCertificate): Record<string, string> {
  return {
    "pretrain.checkpoint": checkpointName(source.checkpoint),
    "pretrain.checkpoint_sha256": source.manifestSha256,
    "pretrain.tokenizer_sha256": source.tokenizerSha256,
    "pretrain.certificate_sha256": certificateSha256(source, certificate),
  };
}

/** Without the time that it took: the same proof of the same model is the same file. */
function certificateSha256({ manifestSha256, tokenizerSha256 }: ModelSource, certificate: ModelCertificate): string {
  const loaded = { checkpointSha256: manifestSha256, tokenizerSha256 };
  return sha256Hex(
    Buffer.from(toJsonString(CertificateSchema, certificateMessage({ ...certificate, seconds: 0 }, loaded))),
  );
}
