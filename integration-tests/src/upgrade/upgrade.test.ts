/**
 * Upgrades: what earlier versions left behind (`testdata/stored`, one folder for each, named by its commit) is read by this one, and
 * what was paused then goes on now. `store-system.ts` makes another folder when something stored has changed its shape.
 */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { startLocalSystem } from "@pretrain/cli";
import { connectBroker, ensureTopology } from "@pretrain/events";
import { ensureNatsServer, startNatsServer } from "@pretrain/nats-server";
import { createLog } from "@pretrain/observability";
import {
  EvaluatorService,
  Verification_Check_Outcome as Outcome,
  ReportService,
  Experiment_State as State,
  TrainerService,
} from "@pretrain/proto";
import { connectClient } from "@pretrain/rpc";
import { temporaryDirectory, until } from "@pretrain/testing";
import { finalReport, lossesOf } from "../experiments.ts";
import type { SystemUnderTest } from "../system-under-test.ts";
import { unpackBlobs } from "./stored-blobs.ts";
import { publishStored } from "./stored-messages.ts";
import { countingRows } from "./stored-recipe.ts";

const stored = join(import.meta.dirname, "..", "..", "..", "testdata", "stored");

/** A ledger that is there is not filled again: without it the streams of that version are read from their beginning. */
const cases = [
  { version: "27d7a22", ledger: "lost" },
  { version: "3f61839", ledger: "kept" },
] as const;

const patience = { timeoutMs: 120_000 };

interface Expected {
  readonly state: number;
  readonly microSteps: number;
  readonly losses: readonly number[];
}

/** This version's system on the disks of that one. */
async function upgraded(t: TestContext, { version, ledger }: (typeof cases)[number]): Promise<SystemUnderTest> {
  const running = new AsyncDisposableStack();
  t.after(() => running.disposeAsync()); // before the folder's own: hooks run in the order of registration
  const directory = temporaryDirectory(t);
  const [dataRoot, stateDirectory] = [join(directory, "data"), join(directory, "state")];
  const from = join(stored, version);
  await mkdir(dataRoot);
  await writeFile(join(dataRoot, "counting.jsonl"), countingRows());
  await unpackBlobs(await readFile(join(from, "blobs.jsonl.gz")), join(stateDirectory, "blobs"));
  if (ledger === "kept") await cp(join(from, "ledger.sqlite"), join(stateDirectory, "report", "ledger.sqlite"));
  await refill(join(stateDirectory, "nats"), await readFile(join(from, "streams.jsonl"), "utf8"));
  const system = running.use(await startLocalSystem({ stateDirectory, dataRoots: [dataRoot], ports: "free" }));
  return { ...system, dataRoot, stateDirectory };
}

/** A broker's disk that holds those messages. */
async function refill(storeDirectory: string, lines: string): Promise<void> {
  await ensureNatsServer();
  await using server = await startNatsServer({ port: 0, storeDirectory });
  await using broker = await connectBroker({ url: server.url, name: "upgrade", log: createLog("upgrade", "error") });
  await ensureTopology(broker);
  await publishStored(server.url, lines);
}

test("every version that left something is upgraded here", () => {
  const folders = readdirSync(stored, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const covered = cases.map(({ version }) => version);
  assert.deepEqual(folders.map(({ name }) => name).sort(), covered.sort());
});

for (const each of cases)
  test(`given what version ${each.version} left, its ledger ${each.ledger}, everything is read and what was paused goes on`, async (t) => {
    const { version } = each;
    const system = await upgraded(t, each);
    const text = await readFile(join(stored, version, "expected.json"), "utf8");
    const { finished, waiting } = JSON.parse(text) as { readonly finished: Expected; readonly waiting: Expected };
    using trainer = connectClient(TrainerService, system.addresses.trainer);
    using evaluator = connectClient(EvaluatorService, system.addresses.evaluator);
    using report = connectClient(ReportService, system.addresses.report);

    await t.test("then both experiments are listed in the states that they were left in", async () => {
      const { experiments } = await trainer.listExperiments({});
      const states = Object.fromEntries(experiments.map(({ name, state }) => [name, state]));
      assert.deepEqual(states, {
        "experiments/finished": finished.state,
        "experiments/waiting": waiting.state,
      });
    });
    await t.test("then every step is in the ledger with its loss", async () => {
      for (const [id, { losses }] of Object.entries({ finished, waiting })) {
        const name = `experiments/${id}`;
        await until(async () => (await lossesOf(system, name)).length === losses.length, patience);
        assert.deepEqual(await lossesOf(system, name), losses);
      }
    });
    await t.test("then the record of the one that ended is whole, and its evaluations have their results", async () => {
      const { training, evaluations } = await finalReport(system, "experiments/finished");
      assert.equal(Number(training?.microSteps), finished.microSteps);
      const { evaluations: listed } = await evaluator.listEvaluations({ experiment: "experiments/finished" });
      assert.deepEqual(evaluations.map(({ name }) => name).sort(), listed.map(({ name }) => name).sort());
      assert.ok(listed.length > 0);
    });
    await t.test("then what the events say of it is found sound", async () => {
      const { checks } = await report.verifyReport({ name: "experiments/finished/report" });
      const failed = checks.filter(({ outcome }) => outcome === Outcome.FAILED);
      assert.deepEqual(failed, []);
      assert.ok(checks.filter(({ outcome }) => outcome === Outcome.PASSED).length >= 6);
    });
    await t.test("then the one that was paused goes on behind its last step", async () => {
      const name = "experiments/waiting";
      const { checkpoints } = await trainer.listCheckpoints({ parent: name });
      assert.equal(Number(checkpoints.at(-1)?.microStep), waiting.microSteps);
      await trainer.resumeExperiment({ name });
      const goesOn = async () => (await lossesOf(system, name)).length > waiting.microSteps + 8;
      await until(goesOn, patience);
      await trainer.cancelExperiment({ name });
      await until(async () => (await trainer.getExperiment({ name })).state === State.CANCELLED, patience);
      const log = await readFile(join(system.stateDirectory, "logs", "trainer.log"), "utf8");
      assert.match(log, new RegExp(`"attempt":2,"resumesFrom":${waiting.microSteps},"msg":"attempt begins"`));
      const losses = await lossesOf(system, name);
      assert.deepEqual(losses.slice(0, waiting.microSteps), waiting.losses);
    });
  });
