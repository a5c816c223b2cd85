/** The whole way of an experiment on an S3 store in place of a folder: packed, trained, killed, measured, tidied, on record. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openBlobs } from "@pretrain/blobs";
import { listCheckpoints, verifyCheckpoint } from "@pretrain/checkpoint";
import { Experiment_State, TrainerService } from "@pretrain/proto";
import { connectClient } from "@pretrain/rpc";
import { startS3Server, whyNoS3Server } from "@pretrain/s3-server";
import { temporaryDirectory, until } from "@pretrain/testing";
import { ended, finalReport, lossesOf, trained } from "./experiments.ts";
import { descendantsOf } from "./process-tree.ts";
import { startSystem } from "./system-under-test.ts";
import { tinyRecipe } from "./tiny-recipe.ts";

const recipe = { ...tinyRecipe, training: { ...tinyRecipe.training, epochs: 4, keepLast: 2 } };
const limit = { timeoutMs: 120_000 };

test("an experiment on an S3 store survives its worker's death, keeps two checkpoints, and its record has no gap", {
  skip: whyNoS3Server(),
}, async (t) => {
  const running = new AsyncDisposableStack();
  const s3 = running.use(await startS3Server(join(temporaryDirectory(t), "s3")));
  const blobsUrl = `s3://${s3.bucket}/of-a-test`;
  const system = await startSystem(t, s3.environment, { blobsUrl });
  t.after(() => running.disposeAsync()); // behind the services
  const undisturbed = await trained(system, "undisturbed", recipe);
  assert.equal(undisturbed.state, Experiment_State.COMPLETED, undisturbed.message);

  using trainer = connectClient(TrainerService, system.addresses.trainer);
  const { name } = await trainer.startExperiment({ experimentId: "killed", recipe });
  await until(async () => (await trainer.listCheckpoints({ parent: name })).checkpoints.length > 0, limit);
  for (const pid of descendantsOf(system.processes.trainer.pid)) process.kill(pid, "SIGKILL");
  const experiment = await ended(system, name);
  assert.equal(experiment.state, Experiment_State.COMPLETED, experiment.message);
  assert.ok(experiment.attempt >= 2, `attempt ${experiment.attempt}`);
  assert.deepEqual(await lossesOf(system, name), await lossesOf(system, undisturbed.name));

  await finalReport(system, name);
  const kept = await until(async () => {
    const { checkpoints } = await trainer.listCheckpoints({ parent: name });
    return checkpoints.length === 2 && checkpoints;
  }, limit);
  assert.equal(kept[1]?.final, true);
  const { checkpoints: all } = await trainer.listCheckpoints({ parent: name, showDeleted: true });
  const removed = all.filter(({ deleteTime }) => deleteTime !== undefined);
  assert.ok(removed.length > 0 && removed.length === all.length - 2);
  assert.match(removed[0]?.deleteReason ?? "", /^kept are keep_last 2, /);
  const report = await until(async () => {
    const found = await finalReport(system, name);
    return found.checkpoints.filter(({ deleteTime }) => deleteTime !== undefined).length === removed.length && found;
  }, limit);
  assert.deepEqual(report.gaps, []);
  assert.equal(report.evaluations.length, all.length); // what was measured stays on record

  const blobs = openBlobs(blobsUrl, { environment: s3.environment });
  const stored = await listCheckpoints(blobs, "killed");
  assert.deepEqual([stored.checkpoints.length, stored.damaged], [2, []]);
  for (const sealed of stored.checkpoints) await verifyCheckpoint(blobs, sealed);
  assert.ok((await blobs.stat("experiments/killed/report/report.json")) !== undefined);
  assert.ok(!existsSync(join(system.stateDirectory, "blobs", "experiments")), "nothing went to a folder instead");
});
