/** What is loaded into the computing process, what is refused, and how long it stays. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { sha256Hex } from "@pretrain/blobs";
import { DataLoss, FailedPrecondition } from "@pretrain/errors";
import { initialWeights } from "@pretrain/model";
import { temporaryDirectory } from "@pretrain/testing";
import { checkpoint, loadedExperiment } from "../test-support/loaded-experiment.ts";
import { tinyExperiment, tinyShape, tinyWeights, writeTinyCheckpoint } from "../test-support/tiny-experiment.ts";
import { loadModel } from "./load-model.ts";
import { ModelShelf } from "./model-shelf.ts";

test("a checkpoint is loaded only if it is exactly what was asked for", async (t) => {
  const { folder, experiment, source, load } = await loadedExperiment(t);
  const parts = join(folder, "experiments/tiny/checkpoints/8");

  await t.test("another manifest under the same name is another checkpoint", async () => {
    const replaced = loadModel(experiment.blobs, { ...source, manifestSha256: "0".repeat(64) });
    await assert.rejects(replaced, /CHECKPOINT_REPLACED|is now/);
  });

  for (const [attempt, claim, other, fault] of [
    [1, "of another shape", { hiddenDim: 32 }, "layers.0.feed_forward.w1.weight is F32 [32, 16], not F32 [64, 16]"],
    [2, "that is missing", { layers: 1 }, "layers.1.attention_norm.weight of F32 [16] is missing"],
    [3, "too many", { layers: 3 }, 'the tensor "layers.2.'],
  ] as const) {
    await t.test(`a tensor ${claim} is refused by name`, async () => {
      const shape = { ...tinyShape, ...other };
      const weights = initialWeights(shape, 1);
      const { manifestSha256 } = await writeTinyCheckpoint(experiment, { shape, weights, microStep: 16, attempt });
      const wanted = { ...source, checkpoint: { ...checkpoint, microStep: 16 }, manifestSha256 };
      const loading = loadModel(experiment.blobs, wanted);
      await assert.rejects(loading, (error) => error instanceof DataLoss && error.message.includes(fault));
    });
  }

  await t.test("a tokenizer of another size than the model is refused", async () => {
    const other = await tinyExperiment(pathToFileURL(temporaryDirectory(t)).href, { vocabularySize: 290 });
    const bytes = await other.blobs.read(other.tokenizerBlob);
    await experiment.blobs.put(other.tokenizerBlob, bytes);
    const { tokenizerBlob, tokenizerSha256 } = other;
    await assert.rejects(
      loadModel(experiment.blobs, { ...source, tokenizerBlob, tokenizerSha256 }),
      /the tokenizer has 290 entries, the model 300/,
    );
  });

  await t.test("a tokenizer that is none is refused, and not taken for an accident", async () => {
    const bytes = Buffer.from("{}");
    const [tokenizerBlob, tokenizerSha256] = ["tokenizers/none.json", sha256Hex(bytes)];
    await experiment.blobs.put(tokenizerBlob, bytes);
    const none = loadModel(experiment.blobs, { ...source, tokenizerBlob, tokenizerSha256 });
    await assert.rejects(
      none,
      (error) => error instanceof FailedPrecondition && error.reason === "TOKENIZER_UNREADABLE",
    );
  });

  await t.test("a changed recipe makes its checkpoints foreign", async () => {
    const other = await tinyExperiment(pathToFileURL(temporaryDirectory(t)).href, { evaluation: { samples: 9 } });
    const original = await experiment.blobs.read("experiments/tiny/recipe.json");
    await experiment.blobs.put("experiments/tiny/recipe.json", await other.blobs.read("experiments/tiny/recipe.json"));
    await assert.rejects(load(), (error) => error instanceof DataLoss && error.reason === "CHECKPOINT_FOREIGN");
    await experiment.blobs.put("experiments/tiny/recipe.json", original);
  });

  await t.test("one flipped bit is found before a number is computed with it", async () => {
    const file = readdirSync(parts).find((name) => name.endsWith("model.safetensors")) ?? "";
    const bytes = readFileSync(join(parts, file));
    const middle = Math.floor(bytes.length / 2);
    bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle);
    writeFileSync(join(parts, file), bytes);
    await assert.rejects(load(), (error) => error instanceof DataLoss && error.message.includes("model.safetensors"));
  });
});

test("a model stays in memory while it is the last used or somebody still reads it", async (t) => {
  const { experiment, source } = await loadedExperiment(t);
  const { manifestSha256 } = await writeTinyCheckpoint(experiment, { microStep: 16, weights: tinyWeights(2) });
  const other = { ...source, checkpoint: { ...checkpoint, microStep: 16 }, manifestSha256 };
  const [loaded, disposed]: [number[], number[]] = [[], []];
  const shelf = new ModelShelf(async (wanted) => {
    const model = await loadModel(experiment.blobs, wanted);
    const { microStep } = wanted.checkpoint;
    loaded.push(microStep);
    const dispose = () => {
      model[Symbol.dispose]();
      disposed.push(microStep);
    };
    return { ...model, [Symbol.dispose]: dispose };
  });
  const first = await shelf.borrow(source);
  (await shelf.borrow(source)).release();
  assert.deepEqual([loaded, disposed], [[8], []]);
  const second = await shelf.borrow(other);
  assert.deepEqual([loaded, disposed], [[8, 16], []], "somebody still reads the first");
  first.release();
  assert.deepEqual(disposed, [8]);
  second.release();
  assert.deepEqual(disposed, [8], "the last used stays");
  (await shelf.borrow(source)).release();
  assert.deepEqual(
    [loaded, disposed],
    [
      [8, 16, 8],
      [8, 16],
    ],
  );
});
