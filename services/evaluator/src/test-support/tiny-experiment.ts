/** An experiment of a few thousand parameters, as its trainer and data-shard would have left it in the store. */
import { create, toJsonString } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type BlobStore, openBlobs, sha256Hex } from "@pretrain/blobs";
import {
  type CheckpointState,
  type SealedCheckpoint,
  sealCheckpoint,
  writeCheckpointParts,
} from "@pretrain/checkpoint";
import { initialWeights, type ModelShape, parameterShapes } from "@pretrain/model";
import { type CheckpointWritten, CheckpointWrittenSchema, type Recipe, RecipeSchema } from "@pretrain/proto";
import { type CompleteRecipe, completeRecipe, recipeSha256 } from "@pretrain/recipe";
import { loadTokenizer, type Tokenizer, trainTokenizer, wrappedRow } from "@pretrain/tokenizer";
import type { Row } from "../evaluation/sample-selection.ts";
import { validationTexts } from "./validation-texts.ts";

export const tinyShape: ModelShape = {
  vocabularySize: 300,
  dim: 16,
  layers: 2,
  heads: 4,
  keyValueHeads: 2,
  hiddenDim: 64,
  normEps: 1e-5,
  ropeTheta: 1e6,
  maxSequenceLength: 64,
};

export interface TinyExperiment {
  readonly blobsUrl: string;
  readonly blobs: BlobStore;
  readonly recipe: CompleteRecipe;
  readonly recipeSha256: string;
  readonly tokenizer: Tokenizer;
  readonly tokenizerBlob: string;
  readonly tokenizerSha256: string;
  /** Of the validation split, in the order of the file. */
  readonly rows: readonly Row[];
}

export interface TinyOptions {
  readonly experiment?: string;
  readonly evaluation?: Partial<NonNullable<Recipe["evaluation"]>>;
  readonly texts?: readonly string[];
  /** Of the model. */
  readonly shape?: ModelShape;
  /** Of the tokenizer, if it is another one than the model's. */
  readonly vocabularySize?: number;
  /** A tokenizer.json. Absent: one is trained on the texts. */
  readonly tokenizerJson?: Uint8Array;
}

export const datasetSha256 = "da7a".repeat(16);

/** Recipe, tokenizer and rows; no checkpoint yet. */
export async function tinyExperiment(blobsUrl: string, options: TinyOptions = {}): Promise<TinyExperiment> {
  const { experiment = "tiny", texts = validationTexts, evaluation, shape = tinyShape } = options;
  const { vocabularySize = shape.vocabularySize } = options;
  const blobs = openBlobs(blobsUrl);
  const recipe = completeRecipe(
    create(RecipeSchema, {
      model: recipeModel(shape),
      data: { path: "text.jsonl" },
      training: { dtype: "float32" },
      evaluation: { samples: 3, inputLength: 12, predictLength: 8, batchRows: 3, ...evaluation },
    }),
  );
  await blobs.put(`experiments/${experiment}/recipe.json`, Buffer.from(toJsonString(RecipeSchema, recipe)));
  const { tokenizerJson = Buffer.from(await trainTokenizer(asynchronous(validationTexts), { vocabularySize })) } =
    options;
  const tokenizerSha256 = sha256Hex(tokenizerJson);
  const tokenizerBlob = `tokenizers/${tokenizerSha256}.json`;
  await blobs.put(tokenizerBlob, tokenizerJson);
  const tokenizer = loadTokenizer(tokenizerJson);
  const rows = texts.map((text, rowId) => ({ rowId, tokens: rowOf(tokenizer, text) }));
  return {
    blobsUrl,
    blobs,
    recipe,
    recipeSha256: recipeSha256(recipe),
    tokenizer,
    tokenizerBlob,
    tokenizerSha256,
    rows,
  };
}

/** Weights of a seed, far enough from zero that what one token costs says which token it is. */
export function tinyWeights(seed: number): Map<string, Float32Array> {
  const weights = initialWeights(tinyShape, seed);
  const embedding = weights.get("tok_embeddings.weight") ?? new Float32Array();
  weights.set(
    "tok_embeddings.weight",
    embedding.map((value) => 6 * value),
  );
  return weights;
}

/** Writes and seals a checkpoint of the experiment. */
export async function writeTinyCheckpoint(
  { blobs, recipeSha256: sha256 }: TinyExperiment,
  { experiment = "tiny", microStep = 8, attempt = 1, weights = tinyWeights(1), shape = tinyShape } = {},
): Promise<SealedCheckpoint> {
  const shared = {
    experiment,
    attempt,
    attemptNonce: `nonce-${attempt}`,
    microStep,
    optimizerStep: microStep / 8,
    epoch: 1,
    tokensSeen: 100,
    recipeSha256: sha256,
    dataset: "tiny-data",
  };
  const state: CheckpointState = { ...shared, cursor: { epoch: 1, row: 8 }, seed: 1, datasetSha256, exactness: {} };
  const model = new Map(
    [...parameterShapes(shape)].map(([name, lengths]) => [
      name,
      { dtype: "F32" as const, shape: lengths, data: weights.get(name) ?? new Float32Array() },
    ]),
  );
  const parts = await writeCheckpointParts(blobs, { model, optimizer: new Map(), state });
  const sealing = { final: false, createTime: "2026-01-01T00:00:00.000Z", writeSeconds: 0.1, parts };
  return await sealCheckpoint(blobs, { ...shared, ...sealing });
}

/** The event that a trainer publishes of it. */
export function checkpointWritten({ manifest, manifestSha256 }: SealedCheckpoint): CheckpointWritten {
  const { experiment, microStep, attempt, attemptNonce } = manifest;
  const time = timestampFromDate(new Date(manifest.createTime));
  const name = `experiments/${experiment}/checkpoints/${microStep}`;
  return create(CheckpointWrittenSchema, {
    experiment: `experiments/${experiment}`,
    attempt,
    attemptNonce,
    time,
    checkpoint: {
      name,
      microStep: BigInt(microStep),
      attempt,
      manifestSha256,
      createTime: time,
      dataset: "datasets/tiny-data",
    },
  });
}

function recipeModel(shape: ModelShape) {
  return {
    dim: shape.dim,
    nLayers: shape.layers,
    nHeads: shape.heads,
    nKvHeads: shape.keyValueHeads,
    hiddenDim: shape.hiddenDim,
    normEps: shape.normEps,
    ropeTheta: shape.ropeTheta,
    vocabSize: shape.vocabularySize,
    maxSeqLen: shape.maxSequenceLength,
  };
}

function rowOf(tokenizer: Tokenizer, text: string): Uint16Array {
  const limits = { maximumLength: tinyShape.maxSequenceLength, cut: "after_wrap" } as const;
  return wrappedRow(tokenizer.encode(text), tokenizer.specialTokens, limits).ids;
}

async function* asynchronous<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items;
}
