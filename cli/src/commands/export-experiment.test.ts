/** `export` of an experiment as it is typed: the folder, the answer, and what is left when something goes wrong. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Unavailable } from "@pretrain/errors";
import { ReportService } from "@pretrain/proto";
import { temporaryDirectory } from "@pretrain/testing";
import { exitCodes } from "../terminal/exit-codes.ts";
import { exampleRun } from "../test-support/example-run.ts";
import { serveContract } from "../test-support/serve-contract.ts";
import { runCommand, startCommand } from "../testing.ts";

const { reports } = exampleRun({ microSteps: 12, missing: [] });

type Methods = Parameters<typeof serveContract<typeof ReportService>>[2];

async function setUp(t: TestContext, methods: Methods = {}) {
  const { getReport, readSteps, queryMetrics } = reports;
  const served: Methods = {
    getReport: (request) => getReport(request),
    readSteps: (request) => readSteps(request),
    queryMetrics: (request) => queryMetrics(request),
  };
  const { address } = await serveContract(t, ReportService, { ...served, ...methods });
  const parent = temporaryDirectory(t);
  const folder = join(parent, "exported");
  return { parent, folder, words: ["export", "1.4.0", "--to", folder, "--report", address] };
}

for (const [format, names] of [
  ["csv", ["evaluations.csv", "log.csv", "recipe.csv", "samples.csv", "steps.csv"]],
  ["parquet", ["evaluations.parquet", "log.parquet", "recipe.parquet", "samples.parquet", "steps.parquet"]],
  ["tensorboard", ["events.out.tfevents.1777863600.pretrain.1-4-0"]],
  ["wandb", ["offline-run-20260504_030000-1-4-0"]],
] as const)
  test(`--format ${format} fills the folder and nothing beside it, and --json says what was written`, async (t) => {
    const { parent, folder, words } = await setUp(t);
    const { exitCode, stdout } = await runCommand([...words, "--format", format, "--json"]);
    assert.equal(exitCode, exitCodes.done);
    assert.deepEqual([readdirSync(parent), readdirSync(folder).sort()], [["exported"], names]);
    const written = JSON.parse(stdout);
    assert.deepEqual([written.experiment, written.format], ["experiments/1-4-0", format]);
    for (const { name, bytes } of written.files) assert.equal(readFileSync(join(folder, name)).length, bytes);
  });

test("a folder that holds something is refused before anything is asked for, and stays as it was", async (t) => {
  const { folder, words } = await setUp(t);
  assert.equal((await runCommand([...words, "--format", "csv"])).exitCode, exitCodes.done);
  const before = readFileSync(join(folder, "steps.csv"));
  const refused = await runCommand([...words, "--format", "csv"]);
  assert.equal(refused.exitCode, exitCodes.failed);
  assert.match(refused.stderr, /there is something at .*exported already/);
  assert.ok(readFileSync(join(folder, "steps.csv")).equals(before));
});

test("a service that fails in the middle leaves nothing", async (t) => {
  const readSteps: Methods["readSteps"] = async function* (request) {
    yield* reports.readSteps(request);
    throw new Unavailable("GONE", "the ledger is away", {});
  };
  const { parent, words } = await setUp(t, { readSteps });
  const failed = await runCommand([...words, "--format", "parquet"]);
  assert.equal(failed.exitCode, exitCodes.serviceAway);
  assert.deepEqual(readdirSync(parent), []);
});

test("Ctrl-C ends it, and leaves nothing", async (t) => {
  const asked = Promise.withResolvers<void>();
  const readSteps: Methods["readSteps"] = async function* (request, { signal }) {
    yield* reports.readSteps(request);
    asked.resolve();
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  };
  const { parent, words } = await setUp(t, { readSteps });
  const running = startCommand([...words, "--format", "wandb"]);
  await asked.promise;
  assert.deepEqual(readdirSync(parent).length, 1); // beside its place
  running.interrupt();
  assert.equal((await running.ended).exitCode, exitCodes.interrupted);
  assert.deepEqual(readdirSync(parent), []);
});

test("a checkpoint is no experiment: the error says what is expected", async (t) => {
  const { folder } = await setUp(t);
  const { exitCode, stderr } = await runCommand(["export", "1.4.0/40", "--format", "csv", "--to", folder]);
  assert.equal(exitCode, exitCodes.usage);
  assert.match(stderr, /"1\.4\.0\/40" names no experiment: csv is written of a whole one, such as 1\.4\.0/);
  assert.equal(existsSync(folder), false);
});
