import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import { type BlobStore, openBlobs, sha256Hex } from "@pretrain/blobs";
import { DataLoss, InvalidArgument, NotFound } from "@pretrain/errors";
import { encodeSafetensors, type StoredTensor } from "@pretrain/safetensors";
import { temporaryDirectory } from "@pretrain/testing";
import fc from "fast-check";
import {
  type CheckpointContent,
  checkpointName,
  type ExpectedTensors,
  listCheckpoints,
  parseCheckpointName,
  readCheckpoint,
  readManifest,
  readModel,
  type SealedCheckpoint,
  sealCheckpoint,
  verifyCheckpoint,
  writeCheckpointParts,
} from "./index.ts";

const recipeSha256 = "a".repeat(64);

function float32(shape: number[], ...data: number[]): StoredTensor {
  return { dtype: "F32", shape, data: Float32Array.from(data) };
}

/** A model of two tensors whose values tell the micro-step. */
function contentAt(microStep: number, attempt = 1): CheckpointContent {
  return {
    model: new Map([
      ["w", float32([2, 2], microStep, 1, 2, -0)],
      ["b", float32([1], 0.1)],
    ]),
    optimizer: new Map([["m/w", float32([2, 2], 5, 6, 7, 8)]]),
    state: {
      experiment: "1-4-0",
      attempt,
      attemptNonce: `nonce-${attempt}`,
      microStep,
      optimizerStep: microStep / 2,
      epoch: 1,
      tokensSeen: 100 * microStep,
      cursor: { epoch: 1, row: 8 * microStep },
      seed: 42,
      recipeSha256,
      dataset: "book-1",
      datasetSha256: "b".repeat(64),
      exactness: { threads: "2", cpu: "avx2" },
    },
  };
}

const expected: { model: ExpectedTensors; optimizer: ExpectedTensors; recipeSha256: string } = {
  model: new Map([
    ["w", { dtype: "F32", shape: [2, 2] }],
    ["b", { dtype: "F32", shape: [1] }],
  ]),
  optimizer: new Map([["m/w", { dtype: "F32", shape: [2, 2] }]]),
  recipeSha256,
};

async function writeAt(blobs: BlobStore, microStep: number, attempt = 1): Promise<SealedCheckpoint> {
  const content = contentAt(microStep, attempt);
  const { cursor: _, seed: __, datasetSha256: ___, exactness: ____, ...shared } = content.state;
  const parts = await writeCheckpointParts(blobs, content);
  const sealing = { final: false, createTime: "2025-07-30T15:30:00.000Z", writeSeconds: 0.25, parts };
  return await sealCheckpoint(blobs, { ...shared, ...sealing });
}

function newStore(t: TestContext): { blobs: BlobStore; root: string } {
  const root = temporaryDirectory(t);
  return { blobs: openBlobs(pathToFileURL(root).href), root };
}

async function stepsListed(blobs: BlobStore): Promise<number[]> {
  return (await listCheckpoints(blobs, "1-4-0")).checkpoints.map(({ manifest }) => manifest.microStep);
}

test("a checkpoint comes back bit for bit, with its state", async (t) => {
  const { blobs } = newStore(t);
  const sealed = await writeAt(blobs, 20);
  assert.deepEqual(await readManifest(blobs, { experiment: "1-4-0", microStep: 20 }), sealed);
  await verifyCheckpoint(blobs, sealed);
  const back = await readCheckpoint(blobs, sealed, expected);
  assert.deepEqual(back.state, contentAt(20).state);
  assert.deepEqual([...back.model], [...contentAt(20).model].reverse()); // the file is sorted by name: b, w
  assert.ok(Object.is(back.model.get("w")?.data[3], -0));
  assert.deepEqual([...back.optimizer], [...contentAt(20).optimizer]);
  assert.deepEqual(await readModel(blobs, sealed, expected.model), back.model);
});

test("the same content gives the same files, and the digest of the manifest covers every part", async (t) => {
  const [one, two] = [newStore(t), newStore(t)];
  const sealed = await writeAt(one.blobs, 20);
  assert.deepEqual(await writeAt(two.blobs, 20), sealed);
  for (const { blob, sha256, name } of sealed.manifest.parts) {
    assert.equal(sha256Hex(readFileSync(join(one.root, blob))), sha256);
    assert.equal(blob, `experiments/1-4-0/checkpoints/20/1.${sha256.slice(0, 16)}.${name}`);
  }
  const bytes = readFileSync(join(one.root, "experiments/1-4-0/checkpoints/20/1.manifest.json"));
  assert.equal(sha256Hex(bytes), sealed.manifestSha256);
});

test("checkpoints are listed by number, not by spelling, and only those of the experiment", async (t) => {
  const { blobs } = newStore(t);
  for (const step of [100, 20, 0]) await writeAt(blobs, step);
  assert.deepEqual(await stepsListed(blobs), [0, 20, 100]);
  assert.deepEqual((await listCheckpoints(blobs, "1-4")).checkpoints, []);
});

test("a second attempt at the same step writes files of its own, and what the first one sealed is never written over", async (t) => {
  const { blobs, root } = newStore(t);
  const first = await writeAt(blobs, 20, 1);
  const second = await writeAt(blobs, 20, 2);
  assert.deepEqual((await listCheckpoints(blobs, "1-4-0")).checkpoints, [second]);
  assert.equal((await readCheckpoint(blobs, second, expected)).state.attempt, 2);
  assert.equal(readdirSync(join(root, "experiments/1-4-0/checkpoints/20")).length, 2 * 4);
  const again = sealCheckpoint(blobs, { ...first.manifest, final: true });
  await assert.rejects(again, { reason: "CHECKPOINT_SEALED" });
  await verifyCheckpoint(blobs, first);
});

test("wherever writing stops, the checkpoint before it is the last one and loads", async (t) => {
  const writes = 4; // three parts and the manifest
  for (let survived = 0; survived <= writes; survived += 1) {
    const { blobs } = newStore(t);
    await writeAt(blobs, 20);
    const writing = writeAt(dyingAfter(survived, blobs), 40);
    if (survived < writes) await assert.rejects(writing, /the process died/);
    else await writing;
    const { checkpoints, damaged } = await listCheckpoints(blobs, "1-4-0");
    const last = checkpoints.at(-1);
    assert.equal(last?.manifest.microStep, survived < writes ? 20 : 40);
    assert.ok(last !== undefined && damaged.length === 0);
    await readCheckpoint(blobs, last, expected);
    await writeAt(blobs, 40, 2); // what the dead one left is in nobody's way
    assert.deepEqual(await stepsListed(blobs), [20, 40]);
  }
});

/** The store as a process sees it that is killed before its write of that number (a put is whole or absent: see blobs). */
function dyingAfter(writes: number, blobs: BlobStore): BlobStore {
  let left = writes;
  const alive = () => {
    left -= 1;
    if (left < 0) throw new Error("the process died");
  };
  const dying: Partial<BlobStore> = {
    put: async (key, content) => (alive(), await blobs.put(key, content)),
    create: async (key, content) => (alive(), await blobs.create(key, content)),
  };
  return new Proxy(blobs, { get: (_, name: keyof BlobStore) => dying[name] ?? blobs[name].bind(blobs) });
}

test("one changed bit anywhere in a checkpoint is found before use, and named", async (t) => {
  const { blobs, root } = newStore(t);
  const sealed = await writeAt(blobs, 20);
  const files = [...sealed.manifest.parts.map(({ blob }) => blob), "experiments/1-4-0/checkpoints/20/1.manifest.json"];
  for (const file of files) {
    const path = join(root, file);
    const whole = readFileSync(path);
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length * 8 - 1), async (bit) => {
        const damaged = Buffer.from(whole);
        damaged.writeUInt8(damaged.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
        writeFileSync(path, damaged);
        const refused = await loadLast(blobs, sealed.manifestSha256);
        if (!file.endsWith("manifest.json")) await assert.rejects(verifyCheckpoint(blobs, sealed), DataLoss);
        assert.ok(refused instanceof DataLoss && refused.message.includes("checkpoints/20"), refused.message);
      }),
      { numRuns: 40 },
    );
    writeFileSync(path, whole.subarray(0, whole.length - 1));
    assert.ok((await loadLast(blobs, sealed.manifestSha256)) instanceof DataLoss, `${file} cut by a byte`);
    rmSync(path);
    const missing = await loadLast(blobs, sealed.manifestSha256);
    assert.ok(missing instanceof (file.endsWith("manifest.json") ? NotFound : DataLoss), `${file} removed`);
    writeFileSync(path, whole);
  }
});

/** As a reader that knows the manifest's digest from the event: the refusal. */
async function loadLast(blobs: BlobStore, manifestSha256: string): Promise<Error> {
  try {
    const sealed = await readManifest(blobs, { experiment: "1-4-0", microStep: 20 });
    await readCheckpoint(blobs, sealed, expected);
    if (sealed.manifestSha256 !== manifestSha256) return new DataLoss("X", "checkpoints/20 has another manifest");
  } catch (error) {
    if (error instanceof Error) return error;
  }
  return assert.fail("damage was not found");
}

for (const [claim, change, fault] of [
  [
    "a tensor that is missing",
    { model: new Map([...expected.model, ["norm", { dtype: "F32", shape: [3] }]]) },
    /the tensor norm of F32 \[3\] is missing/,
  ],
  [
    "a tensor that nobody asked for",
    { model: new Map([...expected.model].slice(0, 1)) },
    /the tensor "b" is none of this model's/,
  ],
  [
    "a transposed tensor of the same size",
    { model: new Map([...expected.model, ["w", { dtype: "F32", shape: [4, 1] }]]) },
    /the tensor w is F32 \[2, 2\], not F32 \[4, 1\]/,
  ],
  [
    "another type",
    { optimizer: new Map([["m/w", { dtype: "F64", shape: [2, 2] }]]) },
    /the tensor m\/w is F32 \[2, 2\], not F64 \[2, 2\]/,
  ],
  ["another recipe", { recipeSha256: "c".repeat(64) }, /1-4-0\/checkpoints\/20: belongs to the recipe aaaa/],
] as const satisfies readonly (readonly [string, Partial<typeof expected>, RegExp])[]) {
  test(`${claim}: refused`, async (t) => {
    const { blobs } = newStore(t);
    const sealed = await writeAt(blobs, 20);
    await assert.rejects(readCheckpoint(blobs, sealed, { ...expected, ...change }), (error) => {
      return error instanceof DataLoss && fault.test(error.message);
    });
  });
}

test("a manifest that points at other bytes, or lies in the wrong folder, is refused", async (t) => {
  const { blobs } = newStore(t);
  const { manifest } = await writeAt(blobs, 20);
  const manifestOf = (changed: object) => Buffer.from(JSON.stringify({ formatVersion: 1, ...manifest, ...changed }));
  const parts = manifest.parts.map((part) => ({ ...part, blob: part.blob.replace("/20/", "/10/") }));
  for (const [changed, fault] of [
    [{ parts }, /parts\[0\]\.blob is .*; a text of the form/],
    [{ parts: manifest.parts.slice(1) }, /names 2 parts, not 3/],
    [{ parts: manifest.parts.toReversed() }, /parts\[0\]\.name is "state.json"/],
    [{ attempt: 2 }, /belongs to experiment 1-4-0, micro-step 20, attempt 2/],
    [{ microStep: 10 }, /belongs to experiment 1-4-0, micro-step 10, attempt 1/],
    [{ formatVersion: 2 }, /is of format version 2; this program reads version 1/],
    [{ tokensSeen: -1 }, /tokensSeen is -1; an integer of at least 0/],
    [{ createTime: "yesterday" }, /createTime is "yesterday"/],
  ] as const) {
    await blobs.put("experiments/1-4-0/checkpoints/20/1.manifest.json", manifestOf(changed));
    const { checkpoints, damaged } = await listCheckpoints(blobs, "1-4-0");
    assert.equal(checkpoints.length, 0);
    assert.match(damaged[0]?.fault.message ?? "", fault);
  }
});

test("a state that contradicts its manifest is refused", async (t) => {
  const { blobs } = newStore(t);
  const { manifest } = await writeAt(blobs, 20);
  const other = await writeCheckpointParts(blobs, {
    ...contentAt(20),
    state: { ...contentAt(20).state, tokensSeen: 1 },
  });
  await blobs.delete("experiments/1-4-0/checkpoints/20/1.manifest.json");
  const sealed = await sealCheckpoint(blobs, { ...manifest, parts: other });
  await assert.rejects(readCheckpoint(blobs, sealed, expected), /its state says tokensSeen 1, its manifest 2000/);
});

test("a file that is no checkpoint of ours, put where a part was, is refused though its format is right", async (t) => {
  const { blobs, root } = newStore(t);
  const sealed = await writeAt(blobs, 20);
  const model = sealed.manifest.parts[0]?.blob ?? "";
  writeFileSync(join(root, model), Buffer.concat([...encodeSafetensors(contentAt(21).model)]));
  await assert.rejects(readModel(blobs, sealed, expected.model), DataLoss);
});

test("names go there and back, and nothing else is a name", () => {
  const id = { experiment: "1-4-0", microStep: 10_000 };
  assert.equal(checkpointName(id), "experiments/1-4-0/checkpoints/10000");
  assert.deepEqual(parseCheckpointName("experiments/1-4-0/checkpoints/10000"), id);
  for (const name of [
    "experiments/1-4-0/checkpoints/01",
    "experiments/1.4.0/checkpoints/1",
    "experiments/a/checkpoints/-1",
    "experiments/a/checkpoints/1/x",
    "",
  ]) {
    assert.throws(() => parseCheckpointName(name), InvalidArgument, name);
  }
});
