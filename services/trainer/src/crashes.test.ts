/** Whatever dies, and when: the experiment ends with the numbers of one that nothing happened to. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { openBlobs } from "@pretrain/blobs";
import { listCheckpoints } from "@pretrain/checkpoint";
import { hasErrorCode } from "@pretrain/errors";
import { Experiment_Reason as Reason, Experiment_State as State } from "@pretrain/proto";
import { stateName } from "./experiment/lifecycle.ts";
import {
  assertSame,
  hasCheckpoint,
  reaches,
  release,
  resultOf,
  startAndHold,
  statesOf,
  undisturbedResult,
} from "./test-support/disturbed-run.ts";
import { eventsOf, startSystem, workersOf } from "./test-support/running-trainer.ts";

test("deaths of the worker's processes, and of all of them, cost time and nothing else", async (t) => {
  const system = await startSystem(t);
  let trainer = await system.startTrainer();
  const undisturbed = await undisturbedResult(system, trainer);

  await t.test("SIGKILL of the process that computes: the same worker makes the next attempt", async () => {
    await startAndHold(system, trainer, "computing-killed");
    for (const pid of workersOf(trainer.pid).computing) process.kill(pid, "SIGKILL");
    release(system);
    const killed = await resultOf(system, trainer, "computing-killed");
    assertSame(killed, undisturbed);
    assert.equal(killed.experiment.attempt, 2);
    assert.deepEqual(statesOf(killed.events), [
      "QUEUED",
      "PREPARING",
      "RUNNING",
      "INTERRUPTED",
      "PREPARING",
      "RUNNING",
      "COMPLETED",
    ]);
    const interrupted = killed.events.find((event) => event.kind === "state" && event.message.to === State.INTERRUPTED);
    assert.ok(interrupted?.kind === "state" && interrupted.message.reason === Reason.WORKER_LOST);
    assert.match(interrupted.message.message, /^the computing process was ended by SIGKILL$/);
    const attempts = killed.events.flatMap((event) => (event.kind === "attempt" ? [event.message] : []));
    assert.deepEqual(
      attempts.map(({ attempt }) => attempt),
      [1, 2],
    );
    const from = Number(attempts[1]?.resumedFromMicroStep);
    assert.ok(from >= 4 && from % 4 === 0, `resumed from ${from}`);
    const again = killed.events.flatMap((event) =>
      event.kind === "step" && event.message.attempt === 2 ? [event.message] : [],
    );
    assert.equal(Number(again[0]?.microStep), from + 1); // what was computed behind the checkpoint is computed again
  });

  await t.test("SIGKILL of both processes of the worker: the piece of work comes back", async () => {
    await startAndHold(system, trainer, "worker-killed");
    const { holding, computing } = workersOf(trainer.pid);
    for (const pid of [...holding, ...computing]) process.kill(pid, "SIGKILL");
    release(system);
    const killed = await resultOf(system, trainer, "worker-killed");
    assertSame(killed, undisturbed);
    assert.ok(statesOf(killed.events).includes("INTERRUPTED"));
  });

  await t.test(
    "SIGTERM of the service: the optimizer step is finished and kept, the next start goes on from it",
    async () => {
      await startAndHold(system, trainer, "stopped");
      for (const pid of workersOf(trainer.pid).computing) process.kill(pid, "SIGTERM"); // as Ctrl-C does: all of the group
      const stopping = trainer.stop();
      await pause(500); // it waits for the batch that ends the optimizer step
      release(system);
      assert.equal(await stopping, 0);
      const kept = (await listCheckpoints(system.blobs, "stopped")).checkpoints.at(-1)?.manifest.microStep ?? 0;
      const events = await eventsOf(system, "experiments/stopped");
      const steps = events.flatMap((event) => (event.kind === "step" ? [Number(event.message.microStep)] : []));
      assert.equal(kept, Math.max(...steps)); // no step is lost
      assert.equal(kept % 2, 0);
      const stopped = events.findLast((event) => event.kind === "state");
      assert.ok(stopped?.kind === "state" && stopped.message.to === State.INTERRUPTED);
      assert.equal(stopped.message.reason, Reason.SHUTDOWN);
      trainer = await system.startTrainer();
      assertSame(await resultOf(system, trainer, "stopped"), undisturbed);
    },
  );

  await t.test(
    "SIGKILL of service and worker, and a damaged newest checkpoint: the next start takes the one before, with a warning",
    async () => {
      await startAndHold(system, trainer, "damaged");
      const { holding, computing } = workersOf(trainer.pid);
      await trainer.kill();
      for (const pid of [...holding, ...computing]) process.kill(pid, "SIGKILL"); // or it would write another one
      release(system);
      const { checkpoints } = await listCheckpoints(system.blobs, "damaged");
      const part = checkpoints.at(-1)?.manifest.parts[1];
      const bytes = await system.blobs.read(part?.blob ?? "");
      bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
      await system.blobs.put(part?.blob ?? "", bytes);
      trainer = await system.startTrainer();
      const damaged = await resultOf(system, trainer, "damaged");
      assertSame(damaged, undisturbed);
      const warnings = damaged.events.flatMap((event) => (event.kind === "log" ? [event.message.message] : []));
      assert.ok(
        warnings.some((line) => /damaged checkpoint is passed over: .*optimizer\.safetensors/.test(line)),
        warnings.join(),
      );
      const aside = (await Array.fromAsync(system.blobs.list("experiments/damaged/"))).map(({ key }) => key);
      const step = checkpoints.at(-1)?.manifest.microStep;
      const manifest = `experiments/damaged/checkpoints/${step}/quarantine/1.manifest.json`;
      assert.ok(aside.includes(manifest), aside.join());
    },
  );

  await t.test(
    "the broker away in the middle of a run: training goes on, and nothing is missing afterwards",
    async () => {
      await startAndHold(system, trainer, "broker-away");
      process.kill(system.server.pid, "SIGSTOP");
      release(system);
      await hasCheckpoint(system, "broker-away", 12);
      process.kill(system.server.pid, "SIGCONT");
      assertSame(await resultOf(system, trainer, "broker-away"), undisturbed);
    },
  );
});

test("a full disk is PAUSED for OUT_OF_RESOURCES, naming the path; when there is room again the service resumes it", async (t) => {
  const small = mkdtempSync(join(tmpdir(), "pretrain-test-"));
  t.after(() => {
    spawnSync("/bin/umount", ["--lazy", small]);
    rmSync(small, { recursive: true });
  });
  try {
    execFileSync("/bin/mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", small], { stdio: "ignore" });
  } catch {
    return t.skip("this process may not mount a small file system");
  }
  const system = await startSystem(t);
  const trainer = await system.startTrainer();
  const undisturbed = await undisturbedResult(system, trainer);
  await trainer.stop();
  const blobsAddress = pathToFileURL(small).href;
  const onSmallDisk = await system.startTrainer({ PRETRAIN_BLOBS: blobsAddress });
  const onIt = { ...system, blobs: openBlobs(blobsAddress) };
  await startAndHold(onIt, onSmallDisk, "full");
  const filler = join(small, "filler");
  fill(filler);
  release(system);
  const paused = await reaches(onSmallDisk, "full", State.PAUSED, State.FAILED, State.COMPLETED);
  assert.deepEqual([stateName(paused.state), paused.reason], ["PAUSED", Reason.OUT_OF_RESOURCES], paused.message);
  assert.match(paused.message, /^\/.*\/experiments\/full\/.* cannot be written: the disk is full/);
  rmSync(filler);
  const result = await resultOf(onIt, onSmallDisk, "full");
  assertSame(result, undisturbed);
  assert.deepEqual(
    statesOf(result.events).filter((state) => state === "FAILED" || state === "INTERRUPTED"),
    [], // no attempt is lost to it
  );
});

/** Leaves not a single page free. */
function fill(path: string): void {
  const file = openSync(path, "w");
  try {
    for (;;) writeSync(file, new Uint8Array(4096));
  } catch (error) {
    assert.ok(hasErrorCode(error, "ENOSPC"));
  } finally {
    closeSync(file);
  }
}
