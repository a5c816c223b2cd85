/** What is derived from a recipe and a machine before anything is computed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fromJson, type JsonObject } from "@bufbuild/protobuf";
import { parameterCount as countOfModel } from "@pretrain/model";
import { RecipeSchema } from "@pretrain/proto";
import { completeRecipe, parameterCount as countOfRecipe } from "@pretrain/recipe";
import { deviceBatchRows } from "./device-batch-rows.ts";
import { differences, environmentOf } from "./environment.ts";
import { doubtOfSize } from "./stated-size.ts";
import { stepPlan, trainingSetup } from "./training-setup.ts";

const gibibyte = 2 ** 30;
const recipeOf = (more: JsonObject = {}) =>
  completeRecipe(fromJson(RecipeSchema, { data: { path: "a.jsonl" }, ...more }));

function setupOf(recipe: ReturnType<typeof recipeOf>) {
  return trainingSetup({
    identity: { id: "1-4-0", attempt: 1, nonce: "n" },
    recipe,
    recipeSha256: "a",
    dataset: "d",
    datasetSha256: "b",
    plan: stepPlan(recipe, 7_397_700),
    deviceBatchRows: 8,
    precision: "float32",
    exactness: {},
    resume: undefined,
    imported: undefined,
  });
}

test("the model's own count of parameters is the recipe's, for every shape", () => {
  for (const model of [
    {},
    { dim: 64, nHeads: 4, nKvHeads: 2, nLayers: 3 },
    { dim: 128, nHeads: 8, nKvHeads: 8, vocabSize: 2048 },
  ]) {
    const recipe = recipeOf({ model });
    assert.equal(countOfModel(setupOf(recipe).shape), countOfRecipe(recipe.model));
  }
});

test("a stated size is doubted beyond 1 % of the true count: 26 million is near enough, 26.1 and 25 are not, 0 states none", () => {
  const doubtOf = (modelSize: number) => doubtOfSize(recipeOf({ model: { modelSize } }).model);
  assert.deepEqual([26, 0].map(doubtOf), [undefined, undefined]); // 25.83 million
  assert.equal(doubtOf(26.1), "model_size says 26.1 million parameters; the model has 25.830 million");
  assert.notEqual(doubtOf(25), undefined);
});

test("the recorded recipe gives the recorded schedule: 21,673 optimizer steps from 2e-4", () => {
  const { schedule, plan, optimizer, lossRule } = setupOf(recipeOf());
  assert.deepEqual(schedule, { kind: "cosine_to_zero", peak: 2e-4, warmupSteps: 0, totalSteps: 21_673 });
  assert.deepEqual([plan.microStepsPerEpoch, plan.epochs, lossRule], [57_795, 3, "micro_mean"]);
  assert.deepEqual(optimizer, {
    adamW: { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1, decayOn: "matrices" },
    maxGradientNorm: 1,
  });
});

test("rows on the device are a power of two that memory holds, never more than a batch, and the recipe's word is final", () => {
  assert.equal(deviceBatchRows(recipeOf(), 24 * gibibyte), 8); // 26M at 512 tokens: 8 rows are the 4,096 positions that suffice
  assert.equal(deviceBatchRows(recipeOf(), 2 * gibibyte), 2); // half of it, less 788 MiB of parameters, by 97 MiB a row
  assert.equal(deviceBatchRows(recipeOf(), 1 * gibibyte), 1);
  const rows = { hardware: { deviceBatchRows: 3 } };
  assert.equal(deviceBatchRows(recipeOf(rows), 1 * gibibyte), 3);
  assert.equal(deviceBatchRows(recipeOf({ ...rows, training: { batchSize: 2 } }), 1 * gibibyte), 2);
  const small = recipeOf({ model: { dim: 128, nLayers: 4, nHeads: 8, nKvHeads: 2, vocabSize: 2048, maxSeqLen: 256 } });
  assert.equal(deviceBatchRows(small, 24 * gibibyte), 16);
});

test("an environment is what was detected, and no processes share the work", () => {
  const detected = {
    tensorflowVersion: "2.21.0",
    tfjsVersion: "4.22.0",
    device: "gpu",
    cpuModel: "EPYC",
    cpuFeatures: ["avx2"],
    oneDnn: true,
    threadsWithinOperation: 3,
    threadsBetweenOperations: 2,
  } as const;
  const { cpu, device, tensorflow, intraOpThreads, interOpThreads, precision, node, parallelStrategy } = environmentOf(
    detected,
    "bfloat16",
  );
  assert.deepEqual(
    [cpu, device, tensorflow, intraOpThreads, interOpThreads, precision],
    ["EPYC", "GPU", "2.21.0", 3, 2, "bfloat16"],
  );
  assert.deepEqual([node, parallelStrategy], [process.versions.node, "none"]);
});

test("what differs between two machines is named, fact by fact", () => {
  const then = { threads: "2", cpu: "a" };
  assert.deepEqual(differences(then, { cpu: "a", threads: "2" }), []);
  assert.deepEqual(differences(then, { cpu: "a", threads: "4", device: "GPU" }), [
    "device: not recorded, now GPU",
    "threads: 2, now 4",
  ]);
});
