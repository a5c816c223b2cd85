/** A past step through the whole system: a spoilt line of the training text is found in the step that it was trained in. */
import assert from "node:assert/strict";
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { DataShardService, Experiment_State, Split, TrainerService } from "@pretrain/proto";
import { connectClient } from "@pretrain/rpc";
import { until } from "@pretrain/testing";
import { lossesOf, trained } from "./experiments.ts";
import { startSystem } from "./system-under-test.ts";
import { tinyRecipe } from "./tiny-recipe.ts";

/** Nothing like English, and short enough for a row: each character is three tokens. */
const spoilt = Array.from({ length: 15 }, (_, index) => String.fromCharCode(0x2500 + ((37 * index) % 128))).join("");
const timeoutMs = 120_000;

test("a line of garbage in the training text comes first in its step, by its text and its index, and the loss is the ledger's", async (t) => {
  const system = await startSystem(t, { PRETRAIN_EXPLANATION_NICENESS: "0" });
  await appendFile(join(system.dataRoot, "chapters.jsonl"), `${JSON.stringify({ text: spoilt })}\n`);
  const recipe = { ...tinyRecipe, data: { ...tinyRecipe.data, validationEvery: 0, validationPath: "chapters.jsonl" } };
  const experiment = await trained(system, "spoilt", recipe);
  assert.equal(experiment.state, Experiment_State.COMPLETED, experiment.message);
  using dataShard = connectClient(DataShardService, system.addresses["data-shard"]);
  const { name, trainRows } = await dataShard.getDataset({ name: experiment.dataset });
  const steps = dataShard.streamBatches({
    dataset: name,
    split: Split.TRAIN,
    batchRows: 8,
    shuffle: "per_epoch",
    seed: 7,
    epochs: 1,
    start: { epoch: 1, row: 0n },
  });
  const batches = await Array.fromAsync(steps, ({ rowIds }) => rowIds);
  const rowId = trainRows - 1n; // the last line of the file
  const microStep = 1 + batches.findIndex((rowIds) => rowIds.includes(rowId));

  using trainer = connectClient(TrainerService, system.addresses.trainer);
  const step = { experiment: experiment.name, microStep: BigInt(microStep), detailedRows: 1 };
  const { rows, lossNats, lossTokens, inexact } = await trainer.explainStep(step, { timeoutMs });
  assert.deepEqual([rows[0]?.rowId, rows[0]?.text], [rowId, spoilt]);
  assert.deepEqual(new Set(rows.map((row) => row.rowId)), new Set(batches[microStep - 1]));
  assert.equal(rows[0]?.tokens.map(({ text }) => text).join(""), `${spoilt}<|im_end|>`);
  assert.deepEqual(inexact, []);
  let logged: readonly number[] = [];
  const isWhole = async () => (logged = await lossesOf(system, experiment.name)).length === batches.length;
  await until(isWhole, { timeoutMs });
  assert.equal(lossNats / Number(lossTokens), logged[microStep - 1]);
});
