/** A worker whose folder goes with its machine: what a checkpoint claims to have computed is with the broker before it exists. */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { listCheckpoints } from "@pretrain/checkpoint";
import { Experiment_State as State } from "@pretrain/proto";
import { startFaultProxy, until } from "@pretrain/testing";
import { patienceMs, reaches, release } from "./test-support/disturbed-run.ts";
import {
  eventsOf,
  startSystem,
  tinyRecipe,
  tinySteps,
  type Worker,
  workersOf,
} from "./test-support/running-trainer.ts";

const name = "experiments/vanished";

test("with a broker that is away no checkpoint appears and training goes on; a machine that vanishes takes no listed step with it", async (t) => {
  const system = await startSystem(t);
  const proxy = await startFaultProxy(Number(new URL(system.server.url).port));
  t.after(() => proxy[Symbol.asyncDispose]());
  const shortLease = { PRETRAIN_LEASE_TTL_MS: "2000" };
  const trainer = await system.startTrainer({ ...shortLease, PRETRAIN_WORKERS: "elsewhere" });
  const machine = (number: number) => ({
    ...shortLease,
    PRETRAIN_NATS_URL: `nats://127.0.0.1:${proxy.port}`,
    PRETRAIN_STATE: join(system.folder, `machine-${number}`),
    PRETRAIN_STATE_KEPT: "no",
  });
  const listed = async () =>
    (await listCheckpoints(system.blobs, "vanished")).checkpoints.map(({ manifest }) => manifest.microStep);
  const parts = async (microStep: number) =>
    (await Array.fromAsync(system.blobs.list(`${name}/checkpoints/${microStep}/`))).map(({ key }) => key);
  const told = async () =>
    new Set(
      (await eventsOf(system, name)).flatMap(({ kind, message }) =>
        kind === "step" ? [Number(message.microStep)] : [],
      ),
    );
  const vanish = async (worker: Worker, number: number) => {
    for (const pid of [worker.pid, ...workersOf(worker.pid).holding]) process.kill(pid, "SIGKILL");
    await worker.exited;
    rmSync(join(system.folder, `machine-${number}`), { recursive: true });
  };
  let worker = system.startWorker(machine(1));
  system.dataShard.lastMicroStep = 3;
  await trainer.client.startExperiment({ experimentId: "vanished", recipe: tinyRecipe });
  await reaches(trainer, "vanished", State.RUNNING);
  await until(async () => (await told()).has(3), { timeoutMs: patienceMs });

  await t.test(
    "while it is away: parts of three checkpoints, steps computed behind them, and no manifest",
    async () => {
      proxy.hole();
      system.dataShard.lastMicroStep = 13;
      await until(async () => (await parts(12)).length >= 3, { timeoutMs: patienceMs });
      assert.deepEqual(await listed(), []);
    },
  );

  await t.test("the machine vanishes meanwhile: the next one computes all of it again", async () => {
    await vanish(worker, 1);
    proxy.reset(); // what it still holds of the dead one never arrives
    proxy.heal();
    assert.deepEqual(await told(), new Set([1, 2, 3]));
    worker = system.startWorker(machine(2));
    await until(async () => (await listed()).includes(12), { timeoutMs: patienceMs });
  });

  await t.test("it vanishes behind a listed checkpoint: every step up to that is with the broker", async () => {
    await vanish(worker, 2);
    const steps = await told();
    const upTo = Math.max(...(await listed()));
    assert.deepEqual(
      Array.from({ length: upTo }, (_, index) => index + 1).filter((microStep) => !steps.has(microStep)),
      [],
    );
  });

  await t.test("the third machine ends it, and no step is missing", async () => {
    release(system);
    system.startWorker(machine(3));
    const ended = await trainer.ended(name);
    assert.deepEqual([ended.state, ended.attempt], [State.COMPLETED, 3], ended.message);
    assert.equal((await told()).size, tinySteps);
    assert.deepEqual(await listed(), [4, 8, 12, 15]);
  });
});
