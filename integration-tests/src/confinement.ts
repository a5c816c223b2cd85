/** That nothing outside of the folders of a system is read, and nobody else asked, whatever path, name or address a request has. */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { PretrainError } from "@pretrain/errors";
import { DataShardService, EvaluatorService, ReportService, TrainerService } from "@pretrain/proto";
import { connectClient } from "@pretrain/rpc";
import type { Outside } from "./hostile-paths.ts";
import type { SystemUnderTest } from "./system-under-test.ts";
import { tinyRecipe } from "./tiny-recipe.ts";

/** @param asked how often the address was asked that must not be */
export async function expectConfined(
  t: TestContext,
  { addresses }: SystemUnderTest,
  { paths, read }: Outside,
  asked: () => number,
): Promise<void> {
  using dataShard = connectClient(DataShardService, addresses["data-shard"]);
  using trainer = connectClient(TrainerService, addresses.trainer);
  using evaluator = connectClient(EvaluatorService, addresses.evaluator);
  using report = connectClient(ReportService, addresses.report);
  const pathFields = ["settings.path", "settings.validation_path", "settings.tokenizer_path"];
  const settings = { format: "jsonl", cut: "keep_eos", maxSequenceLength: 64 };
  const pack = (path: string) =>
    dataShard.packDataset({ settings: { ...settings, path, validationPath: path, tokenizerPath: path } });
  const calls: Record<string, readonly [call: (path: string) => Promise<unknown>, fields: readonly string[]]> = {
    "files of a dataset": [pack, pathFields],
    "weights to import": [
      (source) => trainer.importCheckpoint({ source, experimentId: "imported", recipe: tinyRecipe }),
      ["source"],
    ],
    "a folder of the blobs to import": [
      (path) => trainer.importCheckpoint({ source: `imports/${path}`, experimentId: "imported", recipe: tinyRecipe }),
      ["source"],
    ],
    "a dataset's name": [(path) => dataShard.getDatasetReport({ name: `datasets/${path}` }), ["name"]],
    "an exported file": [(file) => first(evaluator.readExportedFile({ name: "exports/a", file })), ["file"]],
    "a checkpoint to fork": [
      (path) => trainer.forkExperiment({ checkpoint: `experiments/${path}/checkpoints/8`, experimentId: "fork" }),
      ["checkpoint"],
    ],
    "a record's name": [(path) => report.verifyReport({ name: `experiments/${path}/report` }), ["name"]],
  };
  assert.ok(paths.length >= 200);
  for (const [what, [call, fields]] of Object.entries(calls)) {
    // A name is judged by its form alone, before anything is looked for: some of each kind do.
    const tried = /path|source/.test(fields.join()) ? paths : paths.filter((_, number) => number % 5 === 0);
    await t.test(`${tried.length} hostile paths as ${what}: each is refused under its field`, async () => {
      for (const path of tried)
        await expectRefusal(call(path), fields, `${what}: ${JSON.stringify(path.slice(0, 100))}`);
    });
  }
  assert.deepEqual(read(), [], "nothing outside was read");
  assert.equal(asked(), 0, "nobody was asked");
}

async function expectRefusal(answer: Promise<unknown>, fields: readonly string[], what: string): Promise<void> {
  const error = await answer.then(
    () => assert.fail(`${what} was taken`),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof PretrainError, `${what}: ${String(error)}`);
  if (error.status === "NOT_FOUND") return; // a name that could be one, of nothing
  assert.equal(error.status, "INVALID_ARGUMENT", `${what}: ${error.message}`);
  const named = error.violations.map(({ field }) => field);
  for (const field of fields) assert.ok(named.includes(field), `${what}: ${error.message}`);
}

async function first(answers: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of answers) return;
}
