/** Imports through the service's real processes: weights that came as files are a checkpoint like any other. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { listCheckpoints, readCheckpoint } from "@pretrain/checkpoint";
import { NotFound } from "@pretrain/errors";
import { llamaConfig, toLlamaTensors } from "@pretrain/hugging-face";
import { Experiment_Reason as Reason, RecipeSchema, Experiment_State as State } from "@pretrain/proto";
import { completeRecipe } from "@pretrain/recipe";
import { decodeSafetensors, encodeSafetensors } from "@pretrain/safetensors";
import { until } from "@pretrain/testing";
import { llamaShapeOf, modelShape } from "./experiment/model-shape.ts";
import { width } from "./test-support/fake-data-shard.ts";
import { eventsOf, type System, startSystem, type Trainer, tinyRecipe } from "./test-support/running-trainer.ts";
import { putTokenizer } from "./test-support/tiny-tokenizer.ts";
import { expectedTensors } from "./worker/stored-state.ts";

const patience = { timeoutMs: 120_000 };
const recipe = {
  ...tinyRecipe,
  data: { ...tinyRecipe.data, tokenizerPath: "tokenizer.json" },
  model: { maxSeqLen: width },
};
const shape = modelShape(completeRecipe(create(RecipeSchema, tinyRecipe)).model);

type Weights = Map<string, Float32Array>;

/** The last checkpoint's weights as other programs have them, in `imports/a` or elsewhere, changed by somebody before. */
async function putWeights(
  { blobs }: Pick<System, "blobs">,
  experiment: string,
  folder = "imports/a",
  change: (weights: Weights) => unknown = () => undefined,
): Promise<void> {
  const part = (await partsOf({ blobs }, experiment)).get("model.safetensors");
  const { tensors } = decodeSafetensors(await blobs.read(part?.blob ?? assert.fail()), "model");
  const weights = new Map([...tensors].map(([name, { data }]) => [name, data as Float32Array] as const));
  change(weights);
  const llama = llamaShapeOf(shape);
  await blobs.put(`${folder}/model.safetensors`, Buffer.concat([...encodeSafetensors(toLlamaTensors(weights, llama))]));
  const config = { ...llamaConfig(llama, { bos: 1, eos: 2, pad: 0 }), max_position_embeddings: 64 };
  await blobs.put(`${folder}/config.json`, Buffer.from(JSON.stringify(config)));
}

async function partsOf({ blobs }: Pick<System, "blobs">, experiment: string, microStep?: number) {
  const { checkpoints } = await listCheckpoints(blobs, experiment);
  const found = checkpoints.find(({ manifest }) => manifest.microStep === microStep) ?? checkpoints.at(-1);
  return new Map(found?.manifest.parts.map((part) => [part.name, part]));
}

async function stepsOf(system: System, name: string): Promise<Map<bigint, number>> {
  const steps = (await eventsOf(system, name)).flatMap((event) => (event.kind === "step" ? [event.message] : []));
  return new Map(steps.map(({ microStep, lossNats }) => [microStep, lossNats]));
}

async function imported(trainer: Trainer, experimentId: string, epochs: number, source = "imports/a"): Promise<string> {
  const training = { ...recipe.training, epochs };
  const request = { source, experimentId, recipe: { ...recipe, training } };
  return (await trainer.client.importCheckpoint(request)).name;
}

test("weights that come as files", async (t) => {
  const system = await startSystem(t);
  let trainer = await system.startTrainer();
  await trainer.client.startExperiment({
    experimentId: "source",
    recipe: { ...tinyRecipe, training: { ...tinyRecipe.training, epochs: 1 } },
  });
  assert.equal((await trainer.ended("experiments/source")).state, State.COMPLETED);
  await putWeights(system, "source");

  await t.test("for no epoch, they are checkpoint 0, bit for bit, with a fresh optimizer, and the end", async () => {
    const ended = await trainer.ended(await imported(trainer, "kept", 0));
    assert.deepEqual([ended.state, ended.progress?.totalMicroSteps], [State.COMPLETED, 0n], ended.message);
    assert.deepEqual([ended.recipe?.model?.dim, ended.recipe?.model?.maxSeqLen], [16, width]); // the first from config.json
    assert.deepEqual([ended.origin?.imported?.source, ended.origin?.imported?.layout], ["imports/a", "half_split"]);
    const { checkpoints } = await trainer.client.listCheckpoints({ parent: ended.name });
    assert.deepEqual(
      checkpoints.map(({ microStep, final }) => [microStep, final]),
      [[0n, true]],
    );
    const [theirs, ours] = [await partsOf(system, "source"), await partsOf(system, "kept")];
    assert.equal(ours.get("model.safetensors")?.sha256, theirs.get("model.safetensors")?.sha256);
    const [sealed] = (await listCheckpoints(system.blobs, "kept")).checkpoints;
    const expected = { ...expectedTensors(shape), recipeSha256: ended.recipeSha256 };
    const { optimizer } = await readCheckpoint(system.blobs, sealed ?? assert.fail(), expected);
    assert.ok([...optimizer.values()].every(({ data }) => (data as Float32Array).every((number) => number === 0)));
  });

  await t.test("a run from them is the same, bit for bit, as a fork of their checkpoint 0", async () => {
    const run = await trainer.ended(await imported(trainer, "run", 1));
    assert.equal(run.state, State.COMPLETED, run.message);
    const fork = await trainer.client.forkExperiment({
      checkpoint: "experiments/kept/checkpoints/0",
      experimentId: "fork",
      recipe: { training: { epochs: 1 } },
    });
    assert.equal((await trainer.ended(fork.name)).state, State.COMPLETED);
    const losses = await stepsOf(system, run.name);
    assert.equal(losses.size, 5);
    assert.deepEqual(await stepsOf(system, fork.name), losses);
    const { checkpoints } = await trainer.client.listCheckpoints({ parent: run.name });
    assert.deepEqual(
      checkpoints.map(({ microStep }) => microStep),
      [0n, 4n, 5n],
    );
  });

  await t.test("a step is explained from checkpoint 0, and when that is gone, from the files again", async () => {
    system.dataShard.tokenizer = await putTokenizer(system.blobs);
    const name = "experiments/run";
    const losses = await stepsOf(system, name);
    const explained = () => trainer.client.explainStep({ experiment: name, microStep: 3n }, patience);
    const { lossNats, checkpoint, inexact } = await explained();
    assert.deepEqual([lossNats, checkpoint, inexact], [losses.get(3n), `${name}/checkpoints/0`, []]);
    for await (const { key } of system.blobs.list(`${name}/checkpoints/0/`)) await system.blobs.delete(key);
    const again = await explained();
    assert.deepEqual([again.lossNats, again.checkpoint], [lossNats, ""]);
  });

  await t.test("a step that ended its experiment, since it was no number, is explained too", async () => {
    const burst = (weights: Weights) => weights.set("norm.weight", new Float32Array(shape.dim).fill(1e38));
    await putWeights(system, "source", "imports/burst", burst);
    const { name, state, reason } = await trainer.ended(await imported(trainer, "burst", 1, "imports/burst"));
    assert.deepEqual([state, reason], [State.FAILED, Reason.NOT_FINITE]);
    const step = { experiment: name, microStep: 1n };
    const { lossNats, gradientNorm, rows } = await trainer.client.explainStep(step, patience);
    assert.deepEqual([gradientNorm, rows.length], [undefined, 8]);
    assert.ok([lossNats, ...rows.map((row) => row.gradientNorm)].some((number) => !Number.isFinite(number)));
    await assert.rejects(trainer.client.explainStep({ ...step, microStep: 2n }, patience), NotFound);
  });

  await t.test(
    "when checkpoint 0 is there, the files are needed no more: a killed attempt goes on from it",
    async () => {
      const undisturbed = await stepsOf(system, "experiments/run");
      system.dataShard.lastMicroStep = 2;
      const name = await imported(trainer, "killed", 1);
      const isThere = async () => (await trainer.client.listCheckpoints({ parent: name })).checkpoints.length > 0;
      await until(isThere, patience);
      await trainer.kill();
      const weights = await system.blobs.read("imports/a/model.safetensors");
      await system.blobs.delete("imports/a/model.safetensors");
      system.dataShard.lastMicroStep = Number.POSITIVE_INFINITY;
      trainer = await system.startTrainer();
      const ended = await trainer.ended(name);
      assert.deepEqual([ended.state, ended.attempt], [State.COMPLETED, 2], ended.message);
      assert.deepEqual(await stepsOf(system, name), undisturbed);
      await system.blobs.put("imports/a/model.safetensors", weights);
    },
  );

  await t.test("files that change between the answer and the first attempt are not trained on", async () => {
    system.dataShard.holdsDatasets = true;
    const name = await imported(trainer, "changed", 1);
    const weights = Buffer.from(await system.blobs.read("imports/a/model.safetensors"));
    weights.writeUInt8(weights.readUInt8(weights.length - 4) ^ 1, weights.length - 4); // the last bit of a number
    await system.blobs.put("imports/a/model.safetensors", weights);
    system.dataShard.holdsDatasets = false;
    const ended = await trainer.ended(name);
    assert.deepEqual([ended.state, ended.reason], [State.FAILED, Reason.DATA_LOSS]);
    assert.match(
      ended.message,
      /^imports\/a, which this experiment is imported from, has changed: model.safetensors has another SHA-256/,
    );
  });

  await t.test("another tokenizer than the one that lies beside them is refused", async () => {
    await system.blobs.put("imports/a/tokenizer.json", Buffer.from("{}"));
    const ended = await trainer.ended(await imported(trainer, "foreign", 1));
    assert.deepEqual([ended.state, ended.reason], [State.FAILED, Reason.INVALID_INPUT]);
    assert.match(ended.message, /^recipe.data.tokenizer_path: its tokenizer.json has the SHA-256/);
  });
});
