/** Out and in again through the whole system: an exported checkpoint is imported as the same model, and measures the same. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { openBlobs } from "@pretrain/blobs";
import { EvaluatorService, Experiment_State, Export_Format, TrainerService } from "@pretrain/proto";
import { connectClient } from "@pretrain/rpc";
import { until } from "@pretrain/testing";
import { ended, finalReport, trained } from "./experiments.ts";
import { startSystem } from "./system-under-test.ts";
import { tinyRecipe } from "./tiny-recipe.ts";

test("an exported checkpoint, imported, has the same weights and losses, bit for bit; its record is whole, its loss is listed", async (t) => {
  const system = await startSystem(t);
  const blobs = openBlobs(system.blobsUrl);
  using trainer = connectClient(TrainerService, system.addresses.trainer);
  using evaluator = connectClient(EvaluatorService, system.addresses.evaluator);
  const parent = await trained(system, "parent", tinyRecipe);
  assert.equal(parent.state, Experiment_State.COMPLETED, parent.message);
  const last = async (name: string) =>
    (await trainer.listCheckpoints({ parent: name })).checkpoints.at(-1) ?? assert.fail();
  const checkpoint = await last(parent.name);
  const exported = await evaluator.exportCheckpoint({
    checkpoint: checkpoint.name,
    format: Export_Format.HUGGING_FACE,
  });
  const tokenizer = exported.files.find((file) => file.name === "tokenizer.json");
  await writeFile(join(system.dataRoot, "tokenizer.json"), await blobs.read(tokenizer?.blob ?? assert.fail()));

  const { name } = await trainer.importCheckpoint({
    source: exported.name,
    experimentId: "imported",
    recipe: {
      data: { ...tinyRecipe.data, tokenizerPath: "tokenizer.json" },
      training: { ...tinyRecipe.training, epochs: 0 },
      evaluation: tinyRecipe.evaluation,
    },
  });
  const imported = await ended(system, name);
  assert.equal(imported.state, Experiment_State.COMPLETED, imported.message);
  const first = await last(name);
  const weightsOf = ({ parts }: typeof first) => parts.find((part) => part.name === "model.safetensors")?.sha256;
  assert.equal(weightsOf(first), weightsOf(checkpoint));

  const [report, before] = [await finalReport(system, name), await finalReport(system, parent.name)];
  assert.deepEqual(report.gaps, []);
  const [found, expected] = [report.evaluations.at(-1), before.evaluations.at(-1)];
  assert.equal(found?.validationLoss?.nats, expected?.validationLoss?.nats);
  assert.equal(found?.validationLoss?.tokens, expected?.validationLoss?.tokens);
  assert.equal(found?.inferenceLoss?.nats, expected?.inferenceLoss?.nats);
  assert.equal(report.origin?.imported?.source, exported.name);
  const measured = await until(
    async () => [await last(name)].find(({ lossNatsPerToken }) => lossNatsPerToken !== undefined),
    {
      timeoutMs: 120_000,
    },
  );
  assert.deepEqual([measured.lossNatsPerToken, measured.best], [found?.validationLoss?.natsPerToken, true]); // told by the evaluator
});
