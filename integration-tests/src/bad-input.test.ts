/** Bad input is refused by name, before the first step where that is possible, and leaves a state that is true. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { PretrainError } from "@pretrain/errors";
import { Experiment_State, type RecipeSchema, TrainerService } from "@pretrain/proto";
import { connectClient } from "@pretrain/rpc";
import { temporaryDirectory } from "@pretrain/testing";
import { expectConfined } from "./confinement.ts";
import { ended, finalReport } from "./experiments.ts";
import { putOutside } from "./hostile-paths.ts";
import { startSystem } from "./system-under-test.ts";
import { tinyRecipe } from "./tiny-recipe.ts";

test("requests that can be judged at once are refused at once, with the field's name", async (t) => {
  const metadata = await serviceThatNobodyMayAsk(t);
  const system = await startSystem(t, { AWS_EC2_METADATA_SERVICE_ENDPOINT: `http://${metadata.host}` });
  using trainer = connectClient(TrainerService, system.addresses.trainer);
  const { model, training } = tinyRecipe;
  for (const [experimentId, change, field] of [
    ["a/b", {}, "experiment_id"],
    ["moe", { model: { ...model, useMoe: true } }, "recipe.model.use_moe"],
    ["memory", { model: { ...model, modelType: "model" } }, "recipe.model.model_type"],
    ["heads", { model: { ...model, dim: 33 } }, "recipe.model.dim"],
    ["vocabulary", { model: { ...model, vocabSize: 65_537 } }, "recipe.model.vocab_size"],
    ["nan", { training: { ...training, learningRate: Number.NaN } }, "recipe.training.learning_rate"],
    ["negative", { training: { ...training, learningRate: -1 } }, "recipe.training.learning_rate"],
    ["processes", { hardware: { numProcesses: 2 } }, "recipe.hardware.num_processes"],
    ["sample", { evaluation: { inputLength: 60, predictLength: 60 } }, "recipe.evaluation"],
    ["metric", { targets: [{ metric: "eval/lost", comparison: "<", value: 3 }] }, "recipe.targets"],
  ] satisfies [string, MessageInitShape<typeof RecipeSchema>, string][]) {
    await t.test(`${experimentId}: ${field}`, () =>
      assert.rejects(trainer.startExperiment({ experimentId, recipe: { ...tinyRecipe, ...change } }), (error) => {
        assert.ok(error instanceof PretrainError && error.status === "INVALID_ARGUMENT", String(error));
        assert.ok(
          error.violations.some((violation) => violation.field.startsWith(field)),
          error.message,
        );
        return true;
      }),
    );
  }
  await expectConfined(t, system, putOutside(system.dataRoot, metadata.host), metadata.asked);
  assert.deepEqual((await trainer.listExperiments({})).experiments, [], "nothing was stored");

  await mkdir(join(system.dataRoot, "folder.jsonl"));
  await writeFile(join(system.dataRoot, "empty.jsonl"), "");
  await writeFile(join(system.dataRoot, "tokenizer.json"), "{}");
  const failing = [
    ["missing-file", { path: "missing.jsonl" }, /missing\.jsonl.*does not exist/],
    ["a-folder", { path: "folder.jsonl" }, /folder\.jsonl.*directory/],
    ["empty-file", { path: "empty.jsonl" }, /empty\.jsonl.*empty/],
    ["outside", { path: "../../../etc/passwd", format: "text" }, /etc\/passwd.*data root/],
    ["bad-tokenizer", { path: "chapters.jsonl", tokenizerPath: "tokenizer.json" }, /tokenizer\.json/],
  ] as const;
  // All at once: each record is final only when nothing has come for a while.
  for (const [experimentId, data] of failing)
    await trainer.startExperiment({ experimentId, recipe: { ...tinyRecipe, data } });
  for (const [experimentId, , words] of failing) {
    await t.test(`${experimentId}: FAILED before the first step, with the path in state and record`, async () => {
      const experiment = await ended(system, `experiments/${experimentId}`);
      assert.equal(experiment.state, Experiment_State.FAILED);
      assert.match(experiment.message, words);
      const report = await finalReport(system, experiment.name);
      assert.equal(report.execution?.state, Experiment_State.FAILED);
      assert.match(report.execution?.message ?? "", words);
      assert.equal(Number(report.training?.microSteps ?? 0n), 0);
    });
  }
});

/** As on a cloud: it would hand out the credentials of the machine. */
async function serviceThatNobodyMayAsk(
  t: TestContext,
): Promise<{ readonly host: string; readonly asked: () => number }> {
  let count = 0;
  const server = createServer((socket) => {
    count += 1;
    socket.destroy();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, asked: () => count };
}

test("an address that is none: the service says so in its log and ends", (t) => {
  const folder = temporaryDirectory(t);
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    [fileURLToPath(import.meta.resolve("@pretrain/trainer"))],
    {
      env: {
        ...process.env,
        PRETRAIN_GRPC_ADDRESS: "nowhere",
        PRETRAIN_BLOBS: pathToFileURL(join(folder, "blobs")).href,
        PRETRAIN_STATE: join(folder, "state"),
      },
      encoding: "utf8",
      timeout: 50_000,
    },
  );
  assert.deepEqual([status, signal], [1, null], stderr);
  assert.match(stdout + stderr, /PRETRAIN_GRPC_ADDRESS/);
});
