/** Claims in a store: one number, one owner; what a claim says decides which manifests are read. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { openBlobs } from "@pretrain/blobs";
import { DataLoss, NotFound } from "@pretrain/errors";
import { type TestScope, temporaryDirectory } from "@pretrain/testing";
import fc from "fast-check";
import {
  type AttemptClaim,
  claimAttempt,
  isFenced,
  listCheckpoints,
  readClaim,
  readManifest,
  sealCheckpoint,
  writeCheckpointParts,
} from "./index.ts";

function newStore(t: TestScope) {
  const root = temporaryDirectory(t);
  return { blobs: openBlobs(pathToFileURL(root).href), root };
}

const claimOf = (attempt: number, resumesFrom: number): AttemptClaim => ({
  experiment: "a",
  attempt,
  nonce: `nonce-${attempt}`,
  time: "2025-07-30T15:30:00.000Z",
  resumesFrom,
  fruitless: 0,
});

async function write({ blobs }: ReturnType<typeof newStore>, attempt: number, microStep: number): Promise<void> {
  const state = {
    experiment: "a",
    attempt,
    attemptNonce: `nonce-${attempt}`,
    microStep,
    optimizerStep: microStep,
    epoch: 1,
    tokensSeen: 1,
    cursor: { epoch: 1, row: 1 },
    seed: 1,
    recipeSha256: "a".repeat(64),
    dataset: "d",
    datasetSha256: "d".repeat(64),
    exactness: {},
  };
  const parts = await writeCheckpointParts(blobs, { model: new Map(), optimizer: new Map(), state });
  const sealing = { parts, final: false, createTime: "2025-07-30T15:30:00.000Z", writeSeconds: 0 };
  await sealCheckpoint(blobs, { ...state, ...sealing });
}

const listed = async ({ blobs }: ReturnType<typeof newStore>) =>
  (await listCheckpoints(blobs, "a")).checkpoints.map(({ manifest }) => [manifest.attempt, manifest.microStep]);

test("a number is claimed once, comes back as it was claimed, and fences the one before it", async (t) => {
  const { blobs } = newStore(t);
  assert.ok(await claimAttempt(blobs, claimOf(1, 0)));
  assert.ok(!(await claimAttempt(blobs, { ...claimOf(1, 8), nonce: "another" })));
  assert.deepEqual(await readClaim(blobs, "a", 1), claimOf(1, 0));
  assert.ok(!(await isFenced(blobs, claimOf(1, 0))));
  await assert.rejects(readClaim(blobs, "a", 2), NotFound);
  await claimAttempt(blobs, claimOf(2, 0));
  assert.ok(await isFenced(blobs, claimOf(1, 0)));
});

test("one changed bit anywhere in a claim is found, and then no checkpoint counts that perhaps may not", async (t) => {
  const store = newStore(t);
  await write(store, 1, 20);
  await claimAttempt(store.blobs, claimOf(1, 0));
  await claimAttempt(store.blobs, claimOf(2, 20));
  assert.deepEqual(await listed(store), [[1, 20]]);
  const path = join(store.root, "experiments/a/attempts/2.json");
  const whole = readFileSync(path);
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length * 8 - 1), async (bit) => {
      const changed = Buffer.from(whole);
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      writeFileSync(path, changed);
      const said = await readClaim(store.blobs, "a", 2).catch((error: unknown) => error);
      if (!(said instanceof DataLoss)) return assert.deepEqual(said, claimOf(2, 20)); // a blank that became another blank
      assert.match(said.message, /^experiments\/a\/attempts\/2\.json: /);
      const { checkpoints, damagedClaims, lastAttempt } = await listCheckpoints(store.blobs, "a");
      assert.deepEqual([checkpoints.length, damagedClaims.length, lastAttempt], [0, 1, 2]);
    }),
    { numRuns: 300 },
  );
});

test("what is listed and found by name obeys the claims; a sleeper's manifest is not even opened", async (t) => {
  const store = newStore(t);
  for (const step of [20, 40]) await write(store, 1, step);
  await claimAttempt(store.blobs, claimOf(2, 40));
  for (const step of [60, 80]) await write(store, 2, step);
  await write(store, 1, 60);
  await store.blobs.put("experiments/a/checkpoints/100/1.manifest.json", Buffer.from("half of someth"));
  assert.deepEqual(await listed(store), [[1, 20], [1, 40], [2, 60], [2, 80]]); // biome-ignore format: a table
  assert.deepEqual((await listCheckpoints(store.blobs, "a")).damaged, []);
  assert.equal((await readManifest(store.blobs, { experiment: "a", microStep: 60 })).manifest.attempt, 2);
  await assert.rejects(readManifest(store.blobs, { experiment: "a", microStep: 100 }), NotFound);
  await claimAttempt(store.blobs, claimOf(3, 20));
  assert.deepEqual(await listed(store), [[1, 20]]);
});
