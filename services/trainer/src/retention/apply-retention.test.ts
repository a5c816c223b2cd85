/** One look at a store: what goes, what stays, and what is finished that somebody else began. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { create } from "@bufbuild/protobuf";
import { openBlobs } from "@pretrain/blobs";
import {
  acquireCheckpoint,
  claimAttempt,
  listCheckpoints,
  type RemovedCheckpoint,
  releaseCheckpoint,
  type SealedCheckpoint,
  sealCheckpoint,
  writeCheckpointParts,
} from "@pretrain/checkpoint";
import { createLog } from "@pretrain/observability";
import { ListCheckpointsRequestSchema } from "@pretrain/proto";
import { type TestScope, temporaryDirectory } from "@pretrain/testing";
import { listCheckpoints as listHandler } from "../handlers/list-checkpoints.ts";
import { experimentsInMemory } from "../test-support/experiments-in-memory.ts";
import { applyRetention } from "./apply-retention.ts";
import { writeResult } from "./evaluation-results.ts";

const time = "2025-07-30T15:30:00.000Z";
const log = createLog("test", "fatal" as "error");
const keepLast = (count: number) => ({ keepLast: count, keepBest: 0, keepEvery: 0 });

/** A store with checkpoints of attempt 1 behind 10, 20, 30 and 40, all measured. */
async function measuredRun(t: TestScope) {
  const blobs = openBlobs(pathToFileURL(temporaryDirectory(t)).href);
  const announced: RemovedCheckpoint[] = [];
  const announce = async (removed: RemovedCheckpoint) => void announced.push(removed);
  const sealed = new Map<number, SealedCheckpoint>();
  for (const microStep of [10, 20, 30, 40]) {
    const shared = {
      experiment: "a",
      attempt: 1,
      attemptNonce: "n",
      microStep,
      optimizerStep: microStep,
      epoch: 1,
      tokensSeen: 1,
      recipeSha256: "a".repeat(64),
      dataset: "d",
    };
    const state = { ...shared, cursor: { epoch: 1, row: 1 }, seed: 1, datasetSha256: "d".repeat(64), exactness: {} };
    const parts = await writeCheckpointParts(blobs, { model: new Map(), optimizer: new Map(), state });
    const written = await sealCheckpoint(blobs, { ...shared, parts, final: false, createTime: time, writeSeconds: 0 });
    const { manifestSha256 } = written;
    await writeResult(blobs, written.manifest, `a-${microStep}`, { manifestSha256, lossNatsPerToken: microStep });
    sealed.set(microStep, written);
  }
  const dependencies = {
    blobs,
    announce,
    now: () => new Date(time),
    log,
    verified: new Set<string>(),
    swept: new Set<string>(),
  };
  return {
    blobs,
    sealed,
    announced: () => announced.map(({ manifest }) => manifest.microStep),
    apply: (count: number) => applyRetention(dependencies, "a", keepLast(count)),
    there: async () => (await listCheckpoints(blobs, "a")).checkpoints.map(({ manifest }) => manifest.microStep),
  };
}

test("what is not kept goes with its files, is announced once, and is listed on demand with when and why", async (t) => {
  const { blobs, apply, there, announced } = await measuredRun(t);
  for (let again = 0; again < 2; again += 1) await apply(2);
  assert.deepEqual([await there(), announced()], [[30, 40], [10, 20]]); // biome-ignore format: one line
  const files = (await Array.fromAsync(blobs.list("experiments/a/checkpoints/10/"))).map(({ key }) => key);
  assert.ok(
    files.every((key) => /\/(removals|results)\//.test(key)),
    files.join(),
  );
  const { experiments } = experimentsInMemory();
  const found = Object.assign(Object.create(experiments), { get: async () => undefined });
  const list = (showDeleted: boolean) =>
    listHandler({ experiments: found, blobs, log })(
      create(ListCheckpointsRequestSchema, { parent: "experiments/a", showDeleted }),
    );
  assert.deepEqual(
    (await list(false)).checkpoints.map(({ microStep }) => microStep),
    [30n, 40n],
  );
  const { checkpoints } = await list(true);
  assert.deepEqual(
    checkpoints.map(({ microStep }) => microStep),
    [10n, 20n, 30n, 40n],
  );
  assert.deepEqual(
    checkpoints.map(({ lossNatsPerToken, best }) => [lossNatsPerToken, best]),
    [[10, false], [20, false], [30, true], [40, false]], // the best of those that are there: the better ones are gone
  ); // biome-ignore format: a table
  assert.equal(checkpoints[0]?.deleteReason, "kept are keep_last 2, keep_best 0, keep_every 0");
  assert.deepEqual(
    checkpoints.map(({ deleteTime }) => deleteTime !== undefined),
    [true, true, false, false],
  );
});

test("what somebody reads stays until the next look behind its release", async (t) => {
  const { blobs, apply, there } = await measuredRun(t);
  await acquireCheckpoint(blobs, { experiment: "a", microStep: 10 }, "fork-b");
  await apply(1);
  assert.deepEqual(await there(), [10, 40]);
  await releaseCheckpoint(blobs, { experiment: "a", microStep: 10 }, "fork-b");
  await apply(1);
  assert.deepEqual(await there(), [40]);
});

test("a hold of an attempt that a later one has fenced off keeps nothing; the last attempt's does", async (t) => {
  const { blobs, apply, there } = await measuredRun(t);
  await claimAttempt(blobs, { experiment: "a", attempt: 2, nonce: "n", time, resumesFrom: 40, fruitless: 0 });
  await acquireCheckpoint(blobs, { experiment: "a", microStep: 10 }, "attempt-1-dead");
  await acquireCheckpoint(blobs, { experiment: "a", microStep: 20 }, "attempt-2-alive");
  await apply(1);
  assert.deepEqual(await there(), [20, 40]);
});

test("parts that an attempt died beside are swept when a later one has begun, and those of the last attempt are not", async (t) => {
  const { blobs, apply } = await measuredRun(t);
  const partOf = (attempt: number) => `experiments/a/checkpoints/50/${attempt}.${"0".repeat(16)}.model.safetensors`;
  for (const attempt of [1, 2]) await blobs.put(partOf(attempt), new Uint8Array(9));
  await apply(4);
  assert.ok(await blobs.stat(partOf(1)), "its attempt may be writing it");
  await claimAttempt(blobs, { experiment: "a", attempt: 2, nonce: "n", time, resumesFrom: 40, fruitless: 0 });
  await apply(4);
  assert.equal(await blobs.stat(partOf(1)), undefined);
  assert.ok(await blobs.stat(partOf(2)));
});

test("nothing goes while the newest checkpoint, or a claim, is damaged", async (t) => {
  const { blobs, sealed, apply, there } = await measuredRun(t);
  const state = sealed.get(40)?.manifest.parts[2]?.blob ?? "";
  const bytes = await blobs.read(state);
  await blobs.put(state, bytes.map((byte, i) => (i === 9 ? byte ^ 1 : byte))); // biome-ignore format: one line
  await apply(1);
  assert.deepEqual(await there(), [10, 20, 30, 40]);
  await blobs.put(state, bytes);
  await blobs.put("experiments/a/attempts/2.json", Buffer.from("{"));
  await apply(1);
  await blobs.delete("experiments/a/attempts/2.json");
  assert.deepEqual(await there(), [10, 20, 30, 40]);
});

for (const [place, survives] of [
  ["its first word", () => true],
  ["the manifest", (key: string) => !key.endsWith("manifest.json")],
  ["the first part", (key: string) => !key.endsWith("manifest.json") && !key.endsWith("model.safetensors")],
] as const) {
  test(`a removal that died behind ${place} is finished`, async (t) => {
    const { blobs, apply, there, announced } = await measuredRun(t);
    const other = await measuredRun(t);
    await other.apply(3);
    const [removal] = await Array.fromAsync(other.blobs.list("experiments/a/checkpoints/10/removals/"));
    await blobs.put(removal?.key ?? "", await other.blobs.read(removal?.key ?? ""));
    const files = await Array.fromAsync(blobs.list("experiments/a/checkpoints/10/1."));
    for (const { key } of files) if (!survives(key)) await blobs.delete(key);
    assert.deepEqual(await there(), [20, 30, 40]);
    await apply(3);
    assert.deepEqual(await Array.fromAsync(blobs.list("experiments/a/checkpoints/10/1.")), []);
    assert.deepEqual(announced(), survives("manifest.json") ? [10] : []); // said before the manifest went
  });
}
