/**
 * An experiment whose first weights are read from files that somebody has put into the blob store. They are read through before the
 * answer, so that whoever asks hears what is wrong with them; the first attempt reads them again and compares the digests.
 */
import { createHash } from "node:crypto";
import { create, toBinary } from "@bufbuild/protobuf";
import type { BlobStore } from "@pretrain/blobs";
import { readJson, readWeights, statedShape, weightsFolder } from "@pretrain/hugging-face";
import {
  type Experiment,
  type ImportCheckpointRequest,
  ImportCheckpointRequestSchema,
  type Origin,
  OriginSchema,
} from "@pretrain/proto";
import { type CompleteRecipe, experimentId } from "@pretrain/recipe";
import { importedRecipe } from "../experiment/imported-recipe.ts";
import { llamaShapeOf, modelShape } from "../experiment/model-shape.ts";
import { queued, resourceOf } from "../experiment/record.ts";
import type { Found } from "../stores/experiments.ts";
import { claimRequestId } from "../stores/request-claims.ts";
import { createdOrRepeated, repeated, settled } from "./create-experiment.ts";
import type { Dependencies } from "./start-experiment.ts";

/** @throws FailedPrecondition IMPORT_REFUSED, NOT_A_LLAMA; InvalidArgument; NotFound IMPORT_NOT_FOUND; AlreadyExists */
export const importCheckpoint =
  (dependencies: Dependencies) =>
  async (request: ImportCheckpointRequest): Promise<Experiment> => {
    const { experiments, log, wake } = dependencies;
    const id = experimentId(request.experimentId);
    const asked = { requestId: request.requestId, requestSha256: requestSha256(request) };
    // Before the files are looked at: they may be gone by the time a request is repeated.
    const known = await repeated(experiments, id, asked);
    const stored = known ?? (await created(dependencies, request, id, asked));
    const found = await settled(() => experiments.settle(stored), stored, log);
    wake();
    return resourceOf(found.value, found.revision);
  };

/** Every field but the request's own id counts; equal messages are equal bytes. */
function requestSha256(request: ImportCheckpointRequest): string {
  const bytes = toBinary(ImportCheckpointRequestSchema, { ...request, requestId: "" });
  return createHash("sha256").update(bytes).digest("hex");
}

async function created(
  { experiments, blobs, now }: Dependencies,
  request: ImportCheckpointRequest,
  id: string,
  asked: { readonly requestId: string; readonly requestSha256: string },
): Promise<Found> {
  const { recipe, origin } = await readThrough(blobs, request);
  if (asked.requestId !== "") await claimRequestId(blobs, "import-checkpoint", asked.requestId, asked.requestSha256);
  const { experimentId: title, priority } = request;
  const record = queued({ id, title, recipe, priority, origin, ...asked }, now());
  return await createdOrRepeated(experiments, id, record);
}

async function readThrough(
  blobs: BlobStore,
  { source, recipe: given }: ImportCheckpointRequest,
): Promise<{ readonly recipe: CompleteRecipe; readonly origin: Origin }> {
  const folder = await weightsFolder(blobs, source);
  const stated = folder.config && statedShape(await readJson(blobs, folder.config), folder.config.key);
  const recipe = importedRecipe(given, stated);
  const { layout, files, notes } = await readWeights(blobs, folder, llamaShapeOf(modelShape(recipe.model)), () => {});
  const tokenizerSha256 = folder.tokenizer === undefined ? "" : await digestOf(blobs, folder.tokenizer.key);
  const imported = { source, layout, notes: [...notes], files: files.map(asMessage), tokenizerSha256 };
  return { recipe, origin: create(OriginSchema, { imported }) };
}

async function digestOf(blobs: BlobStore, key: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of blobs.stream(key)) hash.update(piece);
  return hash.digest("hex");
}

function asMessage({ name, sizeBytes, sha256 }: { name: string; sizeBytes: number; sha256: string }) {
  return { name, sizeBytes: BigInt(sizeBytes), sha256 };
}
