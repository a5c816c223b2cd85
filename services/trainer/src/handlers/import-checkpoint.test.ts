/** Importing with plain values: what is read, filled in, refused, stored and answered. How an import trains stands in importing.test.ts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { openBlobs, sha256Hex } from "@pretrain/blobs";
import { AlreadyExists, FailedPrecondition, InvalidArgument, NotFound } from "@pretrain/errors";
import { llamaConfig, llamaParameters } from "@pretrain/hugging-face";
import { createLog } from "@pretrain/observability";
import { ImportCheckpointRequestSchema, type ModelSchema, StartExperimentRequestSchema } from "@pretrain/proto";
import { encodeSafetensors } from "@pretrain/safetensors";
import { type TestScope, temporaryDirectory } from "@pretrain/testing";
import { experimentsInMemory } from "../test-support/experiments-in-memory.ts";
import { importCheckpoint } from "./import-checkpoint.ts";
import { startExperiment } from "./start-experiment.ts";

const llama = {
  vocabularySize: 300,
  dim: 16,
  layers: 1,
  heads: 2,
  keyValueHeads: 1,
  headDim: 8,
  hiddenDim: 24,
  normEps: 1e-6,
  ropeTheta: 1e4,
  maxSequenceLength: 64,
};
const model = {
  dim: 16,
  nLayers: 1,
  nHeads: 2,
  nKvHeads: 1,
  hiddenDim: 24,
  vocabSize: 300,
  normEps: 1e-6,
  ropeTheta: 1e4,
};
const data = { path: "book.txt", tokenizerPath: "tokenizer.json" };
const plan = { evaluation: { inputLength: 8, predictLength: 8 }, training: { epochs: 0 } };
const zeros = llamaParameters(llama).map(({ theirs, shape }) => {
  const count = shape.reduce((product, length) => product * length, 1);
  return [theirs, { dtype: "BF16" as const, shape, data: new Uint16Array(count) }] as const;
});
const weights = Buffer.concat([...encodeSafetensors(zeros)]);
const config = llamaConfig(llama, { bos: 1, eos: 2, pad: 0 });

interface Given {
  readonly data?: { readonly path: string; readonly tokenizerPath?: string };
  readonly model?: MessageInitShape<typeof ModelSchema>;
}

async function withFolder(t: TestScope, files: Readonly<Record<string, Uint8Array>>) {
  const system = experimentsInMemory();
  const blobs = openBlobs(pathToFileURL(temporaryDirectory(t)).href);
  for (const [name, bytes] of Object.entries(files)) await blobs.put(`imports/a/${name}`, bytes);
  const rest = {
    now: () => new Date(Date.UTC(2026, 0, 1)),
    log: createLog("test", "fatal" as "error"),
    wake: () => {},
  };
  const dependencies = { ...system, blobs, ...rest };
  const handler = importCheckpoint(dependencies);
  const request = (recipe: Given, more = {}) =>
    create(ImportCheckpointRequestSchema, {
      source: "imports/a",
      experimentId: "a",
      recipe: { data, ...plan, ...recipe },
      ...more,
    });
  return {
    ...dependencies,
    blobs,
    system,
    imports: (recipe: Given = {}, more = {}) => handler(request(recipe, more)),
  };
}

const whole = { "model.safetensors": weights, "config.json": Buffer.from(JSON.stringify(config)) };

/** `field: description` of each fault. */
async function faultsOf(call: Promise<unknown>): Promise<string[]> {
  const error = await call.then(
    () => assert.fail("it was accepted"),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof InvalidArgument, String(error));
  return error.violations.map(({ field, description }) => `${field}: ${description}`);
}

test("an import is queued with the model that config.json states, and says which bytes it comes from", async (t) => {
  const { imports, system } = await withFolder(t, whole);
  const { recipe, origin } = await imports();
  const { dim, nHeads, nKvHeads, hiddenDim, normEps, maxSeqLen } = recipe?.model ?? {};
  assert.deepEqual([dim, nHeads, nKvHeads, hiddenDim, normEps, maxSeqLen], [16, 2, 1, 24, 1e-6, 64]);
  const { source, layout, files = [], notes } = origin?.imported ?? {};
  assert.deepEqual([source, layout, notes], ["imports/a", "half_split", ["11 tensors widened from BF16 to F32"]]);
  assert.deepEqual(
    files.map(({ name, sizeBytes, sha256 }) => [name, sizeBytes, sha256]),
    [["model.safetensors", BigInt(weights.length), sha256Hex(weights)]],
  );
  assert.deepEqual(system.enqueued, ["a/1"]);
  const found = await system.experiments.get("a");
  assert.equal(found.value.originHeld, false); // no checkpoint of anybody is held
});

test("what the recipe says of the model must be what config.json says, and may be a shorter sequence", async (t) => {
  const { imports } = await withFolder(t, whole);
  assert.deepEqual(await faultsOf(imports({ model: { dim: 32, nKvHeads: 2, normEps: 1e-5, maxSeqLen: 65 } })), [
    "recipe.model.dim: 32 contradicts config.json, which has 16",
    "recipe.model.n_kv_heads: 2 contradicts config.json, which has 1",
    "recipe.model.norm_eps: 0.00001 contradicts config.json, which has 0.000001",
    "recipe.model.max_seq_len: 65 is more than config.json's 64",
  ]);
  assert.deepEqual(await faultsOf(imports({ data: { path: "book.txt" } })), [
    "recipe.data.tokenizer_path: is not given; imported weights mean the ids of the tokenizer.json that they were trained with",
  ]);
  assert.equal((await imports({ model: { maxSeqLen: 32 } })).recipe?.model?.maxSeqLen, 32);
});

test("without config.json the recipe says the whole architecture: no tensor tells how many heads there are", async (t) => {
  const { imports } = await withFolder(t, { "model.safetensors": weights });
  const { nHeads: _, ropeTheta: __, ...given } = model;
  assert.deepEqual(await faultsOf(imports({ model: given })), [
    "recipe.model.n_heads: is not given, and the folder has no config.json",
    "recipe.model.rope_theta: is not given, and the folder has no config.json",
  ]);
  assert.equal((await imports({ model })).recipe?.model?.ropeTheta, 1e4);
});

test("files that cannot be used, and none, are said as what they are, and nothing is stored", async (t) => {
  const refusals = [
    [{}, NotFound, /no file in imports\/a/],
    [{ ...whole, "config.json": Buffer.from(JSON.stringify({ ...config, model_type: "qwen3" })) }, FailedPrecondition, /model_type is "qwen3"/],
    [{ ...whole, "model.safetensors": weights.subarray(0, 999) }, FailedPrecondition, /imports\/a\/model.safetensors: /],
    [{ ...whole, "config.json": Buffer.from(JSON.stringify({ ...config, num_hidden_layers: 2 })) }, FailedPrecondition, /lacks 9 tensors/],
  ] as const; // biome-ignore format: a table
  for (const [files, kind, words] of refusals) {
    const { imports, experiments } = await withFolder(t, files);
    const error = await imports({}, { requestId: "r" }).then(
      () => assert.fail(),
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof kind && words.test(error.message), String(error));
    assert.equal(await experiments.find("a"), undefined);
  }
});

test("a repeated request gets the experiment it made, also when the files are gone; another one is ALREADY_EXISTS", async (t) => {
  const { imports, blobs, system } = await withFolder(t, whole);
  await imports({}, { requestId: "r" });
  await blobs.delete("imports/a/model.safetensors");
  assert.equal((await imports({}, { requestId: "r" })).name, "experiments/a");
  await blobs.put("imports/a/model.safetensors", weights);
  await assert.rejects(imports(), AlreadyExists);
  await assert.rejects(imports({}, { requestId: "r", experimentId: "b" }), AlreadyExists);
  assert.deepEqual(system.enqueued, ["a/1"]);
});

test("no epoch is for imports alone", async (t) => {
  const dependencies = await withFolder(t, {});
  const request = create(StartExperimentRequestSchema, {
    experimentId: "b",
    recipe: { data, training: { epochs: 0 } },
  });
  assert.deepEqual(await faultsOf(startExperiment(dependencies)(request)), [
    "recipe.training.epochs: 0 trains nothing; at least 1 is expected, except of ImportCheckpoint",
  ]);
});
