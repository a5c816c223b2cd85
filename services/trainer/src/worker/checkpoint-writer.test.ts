/** Checkpoints that are written while training goes on: what is in them, and what becomes of a failure to write one. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import { openBlobs } from "@pretrain/blobs";
import { encodeSafetensors, type StoredTensor } from "@pretrain/safetensors";
import { temporaryDirectory } from "@pretrain/testing";
import { isCheckpointDue, totals } from "../experiment/step-plan.ts";
import { attemptInProcess, batchesFrom, tinySetup } from "../test-support/attempt-in-process.ts";
import { faultOf } from "./faults.ts";
import { openRun } from "./open-run.ts";
import type { TrainingSetup } from "./protocol.ts";
import { sharedState, storedTensors } from "./stored-state.ts";

/** 200 checkpoints of a model of 100,000 parameters: writing one takes longer than a step. */
const setup: TrainingSetup = {
  ...tinySetup,
  shape: { ...tinySetup.shape, dim: 64, hiddenDim: 384 },
  plan: { ...tinySetup.plan, epochs: 150 },
  saveInterval: 3,
};

function places(t: TestContext) {
  const folder = temporaryDirectory(t);
  return { blobs: pathToFileURL(join(folder, "blobs")).href, programs: join(folder, "programs") };
}

test("200 checkpoints taken while training runs are those of a run that stands still for each, byte for byte", async (t) => {
  const { blobs, programs } = places(t);
  const running = await attemptInProcess({ setup, shuffle: "per_epoch", blobs, programs });
  const standing = await digestsOfStandingTwin(blobs, programs);
  assert.equal(running.sealed.length, 200);
  for (const { manifest } of running.sealed) {
    const digests = manifest.parts.slice(0, 2).map(({ sha256 }) => sha256);
    assert.deepEqual(digests, standing.get(manifest.microStep), `checkpoint ${manifest.microStep}`);
  }
  const overlapping = running.stepsMeanwhile.filter((steps) => steps > 0).length;
  t.diagnostic(`${overlapping} of 200 were written while steps were computed`);
  assert.ok(overlapping > 0);
});

/** SHA-256 of both tensor files behind each micro-step at which a checkpoint is due. */
async function digestsOfStandingTwin(blobs: string, programs: string): Promise<Map<number, string[]>> {
  const run = await openRun(openBlobs(blobs), setup, programs);
  const state = sharedState(setup.shape);
  const { model, optimizer } = storedTensors(state, setup.shape);
  const found = new Map<number, string[]>();
  for (const batch of batchesFrom(0, run.counters.cursor, "per_epoch", totals(setup.plan).microSteps)) {
    run.step(batch);
    if (!isCheckpointDue(setup.plan, setup.saveInterval, batch.microStep)) continue;
    run.program.copyTo(state);
    found.set(batch.microStep, [digestOf(model), digestOf(optimizer)]);
  }
  return found;
}

function digestOf(tensors: ReadonlyMap<string, StoredTensor>): string {
  const hash = createHash("sha256");
  for (const piece of encodeSafetensors(tensors, { format: "pt" })) hash.update(piece);
  return hash.digest("hex");
}

test("a store that cannot be written ends training with the store's words, though nobody waits for the checkpoint", async (t) => {
  const { programs } = places(t);
  const file = join(temporaryDirectory(t), "no-folder");
  writeFileSync(file, "");
  const attempt = attemptInProcess({ setup, shuffle: "none", blobs: pathToFileURL(file).href, programs });
  await assert.rejects(attempt, (error) => {
    assert.equal(faultOf(error), undefined); // another attempt may find the store as it should be
    return error instanceof Error && /no-folder/.test(error.message);
  });
});

test("a disk that fills up while training goes on is told as OUT_OF_RESOURCES, naming the path", async (t) => {
  const small = smallFileSystem(t);
  if (small === undefined) return t.skip("this process may not mount a small file system");
  const { programs } = places(t);
  const attempt = attemptInProcess({ setup, shuffle: "none", blobs: pathToFileURL(small).href, programs });
  await assert.rejects(attempt, (error) => {
    const { reason, message = "" } = faultOf(error) ?? {};
    assert.equal(reason, "OUT_OF_RESOURCES");
    return message.startsWith(small) && /cannot be written: the disk is full/.test(message);
  });
});

/** 4 MB: room for a few checkpoints of 1.2. */
function smallFileSystem(t: TestContext): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), "pretrain-test-"));
  t.after(() => {
    spawnSync("/bin/umount", ["--lazy", folder]);
    rmSync(folder, { recursive: true });
  });
  try {
    execFileSync("/bin/mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], { stdio: "ignore" });
    return folder;
  } catch {
    return undefined;
  }
}
