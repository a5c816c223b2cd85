/** Readers and removers of one checkpoint: who comes first, who dies, who sleeps. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { type BlobStore, openBlobs } from "@pretrain/blobs";
import { NotFound } from "@pretrain/errors";
import { type TestScope, temporaryDirectory } from "@pretrain/testing";
import {
  acquireCheckpoint,
  attemptHolder,
  type CheckpointContent,
  checkpointHolders,
  claimAttempt,
  listCheckpoints,
  quarantineCheckpoint,
  type Removal,
  readManifest,
  readRemoval,
  releaseCheckpoint,
  releaseFencedHolds,
  removeCheckpoint,
  type SealedCheckpoint,
  sealCheckpoint,
  sweepParts,
  verifyCheckpoint,
  writeCheckpointParts,
} from "./index.ts";

const four = { experiment: "a", microStep: 4 };
const time = "2025-07-30T15:30:00.000Z";

function newStore(t: TestScope): BlobStore {
  return openBlobs(pathToFileURL(temporaryDirectory(t)).href);
}

async function write(blobs: BlobStore, microStep = 4, attempt = 1): Promise<SealedCheckpoint> {
  const state: CheckpointContent["state"] = {
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
  const { cursor: _, seed: __, datasetSha256: ___, exactness: ____, ...shared } = state;
  return await sealCheckpoint(blobs, { ...shared, parts, final: false, createTime: time, writeSeconds: 0 });
}

const removal: Removal = {
  mark: "m",
  time,
  rule: "keep_last 2",
  lastAttempt: 0,
  isVoid: () => false,
  announce: async () => {},
};

const keysOf = async (blobs: BlobStore) => (await Array.fromAsync(blobs.list(""))).map(({ key }) => key).sort();

test("a checkpoint is held by whoever acquired it and has not let go, each for itself", async (t) => {
  const blobs = newStore(t);
  const sealed = await write(blobs, 4);
  await write(blobs, 40);
  assert.deepEqual(await acquireCheckpoint(blobs, four, "fork-b"), sealed);
  await acquireCheckpoint(blobs, four, "fork-b");
  await acquireCheckpoint(blobs, four, "evaluation-a-4");
  assert.deepEqual(await checkpointHolders(blobs, four), ["evaluation-a-4", "fork-b"]);
  assert.deepEqual(await checkpointHolders(blobs, { ...four, microStep: 40 }), []); // 4 is no prefix of 40
  for (let again = 0; again < 2; again += 1) await releaseCheckpoint(blobs, four, "fork-b");
  assert.deepEqual(await checkpointHolders(blobs, four), ["evaluation-a-4"]);
});

test("what is not there is not held", async (t) => {
  const blobs = newStore(t);
  await assert.rejects(acquireCheckpoint(blobs, four, "fork-b"), NotFound);
  assert.deepEqual(await keysOf(blobs), []);
});

test("a removed checkpoint is gone with its parts, and what it was stays on record", async (t) => {
  const blobs = newStore(t);
  const sealed = await write(blobs);
  const announced: string[] = [];
  const announce: Removal["announce"] = async ({ manifest }) => {
    await verifyCheckpoint(blobs, { manifest }); // before the first byte goes
    announced.push(`${manifest.microStep}`);
  };
  assert.equal(await removeCheckpoint(blobs, sealed, { ...removal, announce }), true);
  assert.deepEqual(announced, ["4"]);
  assert.deepEqual(await keysOf(blobs), ["experiments/a/checkpoints/4/removals/1-m.json"]);
  const { checkpoints, removed, damaged } = await listCheckpoints(blobs, "a");
  assert.deepEqual([checkpoints, damaged, removed.map(({ isGone }) => isGone)], [[], [], [true]]);
  const [id] = removed;
  assert.ok(id);
  assert.deepEqual(await readRemoval(blobs, id.removal, id), { ...sealed, time, rule: "keep_last 2" });
  await assert.rejects(readManifest(blobs, four), { reason: "CHECKPOINT_REMOVED" });
  await assert.rejects(readManifest(blobs, { ...four, microStep: 5 }), { reason: "CHECKPOINT_NOT_FOUND" });
});

test("one that is held stays as it is, and goes when its holder has let go", async (t) => {
  const blobs = newStore(t);
  const sealed = await write(blobs);
  await acquireCheckpoint(blobs, four, "fork-b");
  assert.equal(await removeCheckpoint(blobs, sealed, removal), false);
  assert.deepEqual((await listCheckpoints(blobs, "a")).checkpoints, [sealed]);
  await acquireCheckpoint(blobs, four, "evaluation-a-4"); // nothing of the try is left in anybody's way
  assert.equal(await removeCheckpoint(blobs, sealed, { ...removal, isVoid: () => true }), true);
});

test("one that an attempt may have gone on from since it was found needless stays", async (t) => {
  const blobs = newStore(t);
  const sealed = await write(blobs);
  await claimAttempt(blobs, { experiment: "a", attempt: 2, nonce: "n", time, resumesFrom: 4, fruitless: 0 });
  assert.equal(await removeCheckpoint(blobs, sealed, { ...removal, lastAttempt: 1 }), false);
  assert.deepEqual((await listCheckpoints(blobs, "a")).checkpoints, [sealed]);
  assert.equal(await removeCheckpoint(blobs, sealed, { ...removal, lastAttempt: 2 }), true);
});

test("a remover that died before it looked for holds turns new readers away, and harms no old one", async (t) => {
  const blobs = newStore(t);
  const sealed = await write(blobs);
  await acquireCheckpoint(blobs, four, "fork-b");
  await blobs.put("experiments/a/checkpoints/4/removals/1-dead.json", new Uint8Array());
  await assert.rejects(acquireCheckpoint(blobs, four, "evaluation-a-4"), { reason: "CHECKPOINT_REMOVED" });
  assert.deepEqual(await checkpointHolders(blobs, four), ["fork-b"]);
  assert.deepEqual(await acquireCheckpoint(blobs, four, "fork-b"), sealed);
  assert.deepEqual((await listCheckpoints(blobs, "a")).checkpoints, []);
  await releaseCheckpoint(blobs, four, "fork-b");
  assert.equal(await removeCheckpoint(blobs, sealed, removal), true);
});

test("a removal says nothing of what a later attempt writes at the same micro-step", async (t) => {
  const blobs = newStore(t);
  await removeCheckpoint(blobs, await write(blobs, 4, 1), removal);
  await claimAttempt(blobs, { experiment: "a", attempt: 2, nonce: "n", time, resumesFrom: 0, fruitless: 0 });
  const second = await write(blobs, 4, 2);
  const { checkpoints, removed } = await listCheckpoints(blobs, "a");
  assert.deepEqual([checkpoints, removed], [[second], []]);
  assert.deepEqual(await acquireCheckpoint(blobs, four, "fork-b"), second);
});

test("only files that this package names are swept, and only the attempt's", async (t) => {
  const blobs = newStore(t);
  const kept = await write(blobs, 4, 12);
  const first = await write(blobs, 4, 1);
  const foreign = ["1.notes.txt", `1.${"0".repeat(16)}.weights.bin`, "1.model.safetensors"];
  for (const name of foreign) await blobs.put(`experiments/a/checkpoints/4/${name}`, new Uint8Array());
  await blobs.delete("experiments/a/checkpoints/4/1.manifest.json");
  await sweepParts(blobs, first.manifest);
  await verifyCheckpoint(blobs, kept);
  const left = (await keysOf(blobs)).map((key) => key.slice("experiments/a/checkpoints/4/".length));
  assert.deepEqual(
    left.filter((name) => !name.startsWith("12.")),
    foreign.toSorted(),
  );
});

test("what is moved aside is never found again, and why stands beside it", async (t) => {
  const blobs = newStore(t);
  const { manifest } = await write(blobs);
  const bytes = await blobs.read("experiments/a/checkpoints/4/1.manifest.json");
  for (let again = 0; again < 2; again += 1) await quarantineCheckpoint(blobs, manifest, "a bit has changed");
  const { checkpoints, damaged, removed } = await listCheckpoints(blobs, "a");
  assert.deepEqual([checkpoints, damaged, removed], [[], [], []]);
  const aside = "experiments/a/checkpoints/4/quarantine/1";
  assert.deepEqual(await blobs.read(`${aside}.manifest.json`), bytes);
  assert.match(new TextDecoder().decode(await blobs.read(`${aside}.reason.json`)), /a bit has changed/);
});

test("what attempts hold that died before they let go is taken back by the next claim; all else stays held", async (t) => {
  const blobs = newStore(t);
  await write(blobs);
  const claim = { experiment: "a", attempt: 2, nonce: "winner", time, resumesFrom: 4, fruitless: 0 };
  const holders = [
    attemptHolder({ attempt: 1, nonce: "dead" }),
    attemptHolder({ attempt: 2, nonce: "lost-the-number" }),
    attemptHolder(claim),
    attemptHolder({ attempt: 10, nonce: "comes-next" }),
    "evaluation-a-4",
    "fork-attempt-1-x",
  ];
  for (const holder of holders) await acquireCheckpoint(blobs, four, holder);
  await releaseFencedHolds(blobs, claim);
  assert.deepEqual(await checkpointHolders(blobs, four), [
    "attempt-10-comes-next",
    "attempt-2-winner",
    "evaluation-a-4",
    "fork-attempt-1-x",
  ]);
});
