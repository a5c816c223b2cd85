/**
 * A checkpoint in the format of other programs: written, read back from the store, and held against the model. What a crash leaves are
 * files that no manifest names; the same export writes them again, under the same names.
 */
import { createHash } from "node:crypto";
import { type BlobStore, verifiedRead } from "@pretrain/blobs";
import { FailedPrecondition } from "@pretrain/errors";
import { paddedShape, paddedWeights } from "@pretrain/hugging-face";
import { Canary_Outcome } from "@pretrain/proto";
import type { LoadedModel } from "../load-model.ts";
import type { ExportedFile } from "../protocol.ts";
import type { ExportContent, ExportFormat } from "./export-format.ts";
import { type Claim, type EvaluatedText, exportProof } from "./export-proof.ts";

/** What was loaded to be exported. */
export interface ExportedModel {
  /** As it is evaluated with. */
  readonly model: LoadedModel;
  /** Its weights, by name. */
  readonly weights: ReadonlyMap<string, Float32Array>;
  readonly tokenizerJson: Uint8Array;
  /** What the files are held against. */
  readonly evaluated: EvaluatedText;
}

/** Files that are in the store, and what was found when they were read back. */
export interface WrittenModel {
  readonly files: readonly ExportedFile[];
  readonly proof: readonly Claim[];
  readonly headDim: number;
}

export interface ExportOptions {
  /** What the keys of its files begin with. */
  readonly folder: string;
  /** Numbers that each head is padded to; 0: as they are. */
  readonly padHeadDim: number;
  /** Where the weights come from. */
  readonly provenance: Readonly<Record<string, string>>;
}

/**
 * @throws InvalidArgument for a width that heads cannot be padded to; FailedPrecondition EXPORT_NOT_EQUAL when the files hold another model:
 *   they are removed then
 */
export async function exportModel(
  blobs: BlobStore,
  exported: ExportedModel,
  format: ExportFormat,
  { folder, padHeadDim, provenance }: ExportOptions,
): Promise<WrittenModel> {
  const content = contentOf(exported, padHeadDim, provenance);
  const files: ExportedFile[] = [];
  for (const [name, pieces] of format.files(content)) files.push(await writeFile(blobs, folder, name, pieces));
  const proof = exportProof(exported.evaluated, await format.read((name) => readFile(blobs, files, name)));
  const failed = proof.filter(({ outcome }) => outcome !== Canary_Outcome.PASSED);
  if (failed.length === 0) return { files, proof, headDim: content.shape.headDim };
  for (const { blob } of files) await blobs.delete(blob);
  throw notEqual(failed);
}

function contentOf(
  { model, weights, tokenizerJson }: ExportedModel,
  padHeadDim: number,
  provenance: Readonly<Record<string, string>>,
): ExportContent {
  const own = { ...model.shape, headDim: model.shape.dim / model.shape.heads };
  const shape = padHeadDim === 0 ? own : paddedShape(own, padHeadDim);
  const { specialTokens } = model.tokenizer;
  const nameOf = (id: number) => model.tokenizer.decode([id]);
  const markers = { bos: nameOf(specialTokens.bos), eos: nameOf(specialTokens.eos), pad: nameOf(specialTokens.pad) };
  return { shape, weights: paddedWeights(weights, own, shape), tokenizerJson, specialTokens, markers, provenance };
}

/** Named by its content, so that two who write one file never write over each other; gone through twice for that. */
async function writeFile(
  blobs: BlobStore,
  folder: string,
  name: string,
  pieces: () => Iterable<Uint8Array>,
): Promise<ExportedFile> {
  const hash = createHash("sha256");
  for (const piece of pieces()) hash.update(piece);
  const sha256 = hash.digest("hex");
  const { key, sizeBytes } = await blobs.put(`${folder}${sha256.slice(0, 16)}.${name}`, asynchronous(pieces()));
  return { name, blob: key, sizeBytes, sha256 };
}

async function readFile(blobs: BlobStore, files: readonly ExportedFile[], name: string): Promise<Uint8Array> {
  const file = files.find((candidate) => candidate.name === name);
  if (file === undefined) throw new Error(`${name} was not written`);
  return await verifiedRead(blobs, file.blob, file.sha256);
}

function notEqual(failed: readonly Claim[]): FailedPrecondition {
  const faults = failed.map(({ name, claim, deviation, limit, unit, evidence }) => {
    return `${name}: "${claim}" is off by ${deviation} ${unit}, ${limit} is the limit (${evidence})`;
  });
  const message = `the files that were written hold another model, and were removed; ${faults.join("; ")}`;
  return new FailedPrecondition("EXPORT_NOT_EQUAL", message, { claims: failed.map(({ name }) => name).join(" ") });
}

async function* asynchronous(pieces: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* pieces;
}
