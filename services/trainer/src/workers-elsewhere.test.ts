/** Workers that somebody else starts: what they take, what they leave to others, and what their exit codes say. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { LeaseSchema, Experiment_Reason as Reason, Experiment_State as State } from "@pretrain/proto";
import { hasCheckpoint, reaches, release } from "./test-support/disturbed-run.ts";
import { startSystem, tinyRecipe, workersOf } from "./test-support/running-trainer.ts";

test("workers that somebody else starts", async (t) => {
  const system = await startSystem(t);
  const trainer = await system.startTrainer({ PRETRAIN_WORKERS: "elsewhere" });
  const start = async (experimentId: string) => trainer.client.startExperiment({ experimentId, recipe: tinyRecipe });
  const endsWhenIdle = { PRETRAIN_WORKER_IDLE_MS: "0" };

  await t.test("one that finds the queue empty at its first look exits with 0", async () => {
    assert.equal(await system.startWorker(endsWhenIdle).exited, 0);
  });

  await t.test("one whose GPU another process holds takes nothing, and exits with 75", async () => {
    await start("held");
    const folder = join(system.folder, "driver");
    mkdirSync(folder);
    writeFileSync(join(folder, "nvidia-smi"), '#!/bin/sh\necho "10, 100"\n');
    chmodSync(join(folder, "nvidia-smi"), 0o755);
    const PATH = `${folder}:${process.env["PATH"]}`;
    const gpu = { PRETRAIN_TENSORFLOW: "gpu", PRETRAIN_GPU_FREE_PERCENT: "90", PATH };
    const worker = system.startWorker({ ...endsWhenIdle, ...gpu });
    assert.equal(await worker.exited, 75);
    assert.match(String(worker.log.find(({ reason }) => reason)?.["reason"]), /^10 of the GPU's 100 MiB are free/);
    const { state, attempt } = await trainer.client.getExperiment({ name: "experiments/held" });
    assert.deepEqual([state, attempt], [State.QUEUED, 0]);
  });

  await t.test("one that was promised a GPU and computes on none hands its work back, and exits with 75", async () => {
    const worker = system.startWorker({ ...endsWhenIdle, PRETRAIN_TENSORFLOW: "gpu" });
    assert.equal(await worker.exited, 75);
    const { state, reason, message } = await trainer.client.getExperiment({ name: "experiments/held" });
    assert.deepEqual([state, reason], [State.INTERRUPTED, Reason.SHUTDOWN]);
    assert.match(message, /^TensorFlow finds no GPU .*; another worker goes on$/);
  });

  await t.test(
    "one that is as promised takes what was handed back, and exits with 0 when nothing is left",
    async () => {
      const worker = system.startWorker(endsWhenIdle);
      const ended = await trainer.ended("experiments/held");
      assert.deepEqual([ended.state, ended.attempt], [State.COMPLETED, 2]);
      assert.equal(await worker.exited, 0);
    },
  );

  await t.test(
    "SIGTERM: it hands back within its grace, exits with 0, and the lease had the name it was given",
    async () => {
      system.dataShard.lastMicroStep = 7;
      await start("drained");
      const worker = system.startWorker({ PRETRAIN_WORKER_NAME: "trainer-worker-7x.pool", PRETRAIN_GRACE_MS: "2000" });
      await reaches(trainer, "drained", State.RUNNING);
      await hasCheckpoint(system, "drained", 4);
      const lease = await (await system.broker.expiringRecords("pretrain_leases", LeaseSchema)).get("drained");
      assert.equal(lease?.value.worker, "trainer-worker-7x.pool");
      process.kill(worker.pid, "SIGTERM");
      assert.equal(await worker.exited, 0);
      assert.deepEqual((await reaches(trainer, "drained", State.INTERRUPTED)).reason, Reason.SHUTDOWN);
      release(system);
      const next = system.startWorker(endsWhenIdle);
      assert.equal((await trainer.ended("experiments/drained")).state, State.COMPLETED);
      assert.equal(await next.exited, 0);
    },
  );

  await t.test("the API process has started none itself, in all that time", () => {
    assert.deepEqual(workersOf(trainer.pid), { holding: [], computing: [] });
    assert.deepEqual(
      trainer.log.filter(({ msg }) => msg === "worker started"),
      [],
    );
  });
});
