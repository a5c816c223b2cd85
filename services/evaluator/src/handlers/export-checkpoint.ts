/** ExportCheckpoint: a checkpoint in the format of another program, handed out when it was found to be the same model. */
import { create } from "@bufbuild/protobuf";
import {
  acquireCheckpoint,
  type CheckpointId,
  checkpointName,
  readManifest,
  releaseCheckpoint,
} from "@pretrain/checkpoint";
import { type Export, type ExportCheckpointRequest, ExportSchema, Export_Format as Format } from "@pretrain/proto";
import type { ComputingOnDemand } from "../computing/computing-on-demand.ts";
import { findModel, type Sources } from "../computing/model-source.ts";
import { certificateMessage } from "../evaluation/certificate.ts";
import { checkpointNamed } from "../evaluation/checkpoint-name.ts";
import { type ExportSubject, exportFolder, exportId, exportName } from "../exports/export-id.ts";
import { expectLlamaEquivalent } from "../exports/llama-equivalent.ts";
import { readExperimentRecipe } from "../stores/experiment-recipe.ts";
import { beginExport, endExport, exportHolder, keepExport, keptExport } from "../stores/kept-exports.ts";
import { rememberRequest } from "../stores/remembered-requests.ts";
import type { ExportAnswer } from "../worker/protocol.ts";

export interface ExportDependencies extends Sources {
  readonly computing: Pick<ComputingOnDemand, "borrow">;
  readonly now: () => Date;
}

/**
 * @throws NotFound when there is no such checkpoint; InvalidArgument for a width that heads cannot be padded to; FailedPrecondition
 *   NO_EQUIVALENT, EXPORT_NOT_EQUAL; AlreadyExists for a request id that was used for another request
 */
export const exportCheckpoint = (dependencies: ExportDependencies) => {
  const running = new Map<string, Promise<Export>>(); // who asks for what is being written waits for it
  return async (request: ExportCheckpointRequest): Promise<Export> => {
    const { blobs } = dependencies;
    const subject = await subjectOf(dependencies, request);
    const asked = `${checkpointName(subject.checkpoint)} ${subject.format} ${subject.padHeadDim}`;
    await rememberRequest(blobs, "export-checkpoint", request.requestId, asked);
    const id = exportId(subject);
    const kept = await keptExport(blobs, id);
    if (kept !== undefined) return kept;
    const exporting = running.get(id) ?? exported(dependencies, id, subject).finally(() => running.delete(id));
    running.set(id, exporting);
    return await exporting;
  };
};

async function subjectOf(
  { blobs }: Pick<ExportDependencies, "blobs">,
  { checkpoint: name, format, padHeadDim }: ExportCheckpointRequest,
): Promise<ExportSubject> {
  const checkpoint = checkpointNamed(name);
  const { manifestSha256 } = await readManifest(blobs, checkpoint);
  const { recipe } = await readExperimentRecipe(blobs, checkpoint.experiment);
  expectLlamaEquivalent(recipe.model);
  const formatName = format === Format.GGUF ? "gguf" : "hugging-face";
  return { checkpoint, checkpointSha256: manifestSha256, format: formatName, padHeadDim };
}

/** The order of writes is drawn in kept-exports.ts. */
async function exported(dependencies: ExportDependencies, id: string, subject: ExportSubject): Promise<Export> {
  const { blobs, now } = dependencies;
  await beginExport(blobs, id, subject.checkpoint, now());
  const kept = await whileHeld(dependencies, id, subject.checkpoint, () => writtenAndKept(dependencies, id, subject));
  await endExport(blobs, id);
  return kept;
}

async function whileHeld<T>(
  { blobs }: Pick<ExportDependencies, "blobs">,
  id: string,
  checkpoint: CheckpointId,
  run: () => Promise<T>,
): Promise<T> {
  await acquireCheckpoint(blobs, checkpoint, exportHolder(id));
  try {
    return await run();
  } finally {
    await releaseCheckpoint(blobs, checkpoint, exportHolder(id));
  }
}

async function writtenAndKept(
  { computing, ...sources }: ExportDependencies,
  id: string,
  subject: ExportSubject,
): Promise<Export> {
  const { checkpoint, checkpointSha256, format, padHeadDim } = subject;
  const { source } = await findModel(sources, checkpoint);
  using process = await computing.borrow();
  const question = { source: { ...source, manifestSha256: checkpointSha256 }, format, padHeadDim };
  const answer = await process.ask("exportCheckpoint", { ...question, folder: exportFolder(id) });
  return await keepExport(sources.blobs, id, resourceOf(id, subject, source.tokenizerSha256, answer));
}

function resourceOf(
  id: string,
  { checkpoint, checkpointSha256, format }: ExportSubject,
  tokenizerSha256: string,
  { files, proof, headDim, certificate }: ExportAnswer,
): Export {
  return create(ExportSchema, {
    name: exportName(id),
    checkpoint: checkpointName(checkpoint),
    checkpointSha256,
    format: format === "gguf" ? Format.GGUF : Format.HUGGING_FACE,
    headDim,
    files: files.map((file) => ({ ...file, sizeBytes: BigInt(file.sizeBytes) })),
    proof: [...proof],
    certificate: certificateMessage(certificate, { checkpointSha256, tokenizerSha256 }),
  });
}
