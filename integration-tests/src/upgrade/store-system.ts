/**
 * Writes down what a system of this version leaves behind: `testdata/stored/<name>` is made by this, once for each version whose
 * stored things later ones must read. One experiment has ended, another one is paused in the middle.
 *
 *     node integration-tests/src/upgrade/store-system.ts testdata/stored/<name>
 *
 *     blobs.jsonl.gz   the blob store, as it was
 *     ledger.sqlite    the report service's file, closed
 *     streams.jsonl    every message of the broker, in order: stream, subject, headers, text
 *     expected.json    what the system said of its experiments before it was stopped
 */
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startLocalSystem } from "@pretrain/cli";
import { Experiment_State as State, TrainerService } from "@pretrain/proto";
import { connectClient } from "@pretrain/rpc";
import { until } from "@pretrain/testing";
import { ended, finalReport, lossesOf } from "../experiments.ts";
import { packedBlobs } from "./stored-blobs.ts";
import { storedMessages } from "./stored-messages.ts";
import { countingRows, storedRecipe } from "./stored-recipe.ts";

const patience = { timeoutMs: 120_000 };

const [, , folder] = process.argv;
if (folder === undefined) throw new Error("usage: node integration-tests/src/upgrade/store-system.ts <new folder>");
await mkdir(folder); // one that is there stays as it is
const directory = await mkdtemp(join(tmpdir(), "pretrain-stored-"));
const [dataRoot, stateDirectory] = [join(directory, "data"), join(directory, "state")];
try {
  await mkdir(dataRoot);
  await writeFile(join(dataRoot, "counting.jsonl"), countingRows());
  await using local = await startLocalSystem({ stateDirectory, dataRoots: [dataRoot], ports: "free" });
  const system = { ...local, dataRoot, stateDirectory };
  using trainer = connectClient(TrainerService, local.addresses.trainer);
  const { name: finished } = await trainer.startExperiment({ experimentId: "finished", recipe: storedRecipe(1) });
  const { state, progress } = await ended(system, finished);
  await finalReport(system, finished);
  const { name: waiting } = await trainer.startExperiment({ experimentId: "waiting", recipe: storedRecipe(400) });
  const checkpoints = async () => (await trainer.listCheckpoints({ parent: waiting })).checkpoints.length;
  await until(async () => (await checkpoints()) > 0, patience);
  await trainer.pauseExperiment({ name: waiting });
  await until(async () => (await trainer.getExperiment({ name: waiting })).state === State.PAUSED, patience);
  const paused = await trainer.getExperiment({ name: waiting });
  const steps = async () => (await lossesOf(system, waiting)).length;
  await until(async () => (await steps()) === Number(paused.progress?.microStep), patience);
  const expected = {
    finished: {
      state: state,
      microSteps: Number(progress?.microStep),
      losses: await lossesOf(system, finished),
    },
    waiting: {
      state: paused.state,
      microSteps: Number(paused.progress?.microStep),
      losses: await lossesOf(system, waiting),
    },
  };
  await writeFile(join(folder, "streams.jsonl"), await storedMessages(local.natsUrl));
  await local[Symbol.asyncDispose]();
  await writeFile(join(folder, "blobs.jsonl.gz"), await packedBlobs(join(stateDirectory, "blobs")));
  await cp(join(stateDirectory, "report", "ledger.sqlite"), join(folder, "ledger.sqlite"));
  await writeFile(join(folder, "expected.json"), `${JSON.stringify(expected, null, 2)}\n`);
} finally {
  await rm(directory, { recursive: true });
}
