/**
 * How an evaluation ended, kept beside its experiment's checkpoints before its record says so: where the broker has forgotten the
 * record, the same event is told again, to the byte, and nothing is measured twice.
 *
 *     measured ── kept ── record ── event
 *         │         └──────┴─ a crash here: whoever takes it up finds what was kept
 *         └─ and here: it is measured again
 */
import { fromJson, type JsonObject, toJson, toJsonString } from "@bufbuild/protobuf";
import { type BlobStore, sha256Hex } from "@pretrain/blobs";
import { parseCheckpointName } from "@pretrain/checkpoint";
import { type Evaluation, EvaluationSchema } from "@pretrain/proto";
import { evaluationName, idOfEvaluationName } from "../evaluation/identity.ts";
import { hasEnded } from "../evaluation/lifecycle.ts";

const limitBytes = 4 * 2 ** 20;

/**
 * Keeps the end of an evaluation, the first one for good.
 *
 * @returns the one that is kept: another worker may have been faster   @throws the store's errors
 */
export async function keepResult(blobs: BlobStore, ended: Evaluation): Promise<Evaluation> {
  const key = keyOf(parseCheckpointName(ended.checkpoint).experiment, idOfEvaluationName(ended.name));
  const content = new TextEncoder().encode(encoded(ended));
  if (await blobs.create(key, content)) return ended;
  const kept = decoded(await blobs.read(key), ended.name, ended.checkpointSha256);
  if (kept !== undefined) return kept;
  await blobs.put(key, content); // damaged, or of a checkpoint that was written anew since
  return ended;
}

/** Undefined when none is kept of this checkpoint, or what is kept is damaged: then it is measured. @throws the store's errors */
export async function keptResult(
  blobs: BlobStore,
  experiment: string,
  id: string,
  checkpointSha256: string,
): Promise<Evaluation | undefined> {
  const key = keyOf(experiment, id);
  const found = await blobs.stat(key);
  if (found === undefined || found.sizeBytes > limitBytes) return undefined;
  return decoded(await blobs.read(key), evaluationName(id), checkpointSha256);
}

function keyOf(experiment: string, id: string): string {
  return `experiments/${experiment}/evaluations/${id}.json`;
}

function encoded(evaluation: Evaluation): string {
  const content = { sha256: digestOf(evaluation), evaluation: toJson(EvaluationSchema, evaluation) };
  return `${JSON.stringify(content, null, 2)}\n`;
}

function decoded(bytes: Uint8Array, name: string, checkpointSha256: string): Evaluation | undefined {
  try {
    const content: JsonObject = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    const evaluation = fromJson(EvaluationSchema, content["evaluation"] ?? null);
    const isWhole = content["sha256"] === digestOf(evaluation) && hasEnded(evaluation);
    const isAsked = evaluation.name === name && evaluation.checkpointSha256 === checkpointSha256;
    return isWhole && isAsked ? evaluation : undefined;
  } catch {
    return undefined; // whatever it is, it is no result
  }
}

function digestOf(evaluation: Evaluation): string {
  return sha256Hex(new TextEncoder().encode(toJsonString(EvaluationSchema, evaluation)));
}
