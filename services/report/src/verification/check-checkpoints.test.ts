/** Checkpoints that are there are read to their last byte; one that was removed or never stored is counted, not blamed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { openBlobs } from "@pretrain/blobs";
import { sealCheckpoint, writeCheckpointParts } from "@pretrain/checkpoint";
import { CheckpointSchema } from "@pretrain/proto";
import { temporaryDirectory } from "@pretrain/testing";
import { checkCheckpoints } from "./check-checkpoints.ts";

const digest = "a".repeat(64);
const where = { experiment: "1-4-0", attempt: 1, attemptNonce: "nonce-1", epoch: 1, optimizerStep: 4, tokensSeen: 800 };
const of = { recipeSha256: digest, dataset: "book-1" };

test("a flipped bit of a part, another manifest, a part that is gone: the checkpoint is named", async (t) => {
  const blobs = openBlobs(pathToFileURL(temporaryDirectory(t)).href);
  const weights = new Map([["w", { dtype: "F32" as const, shape: [2], data: Float32Array.of(1, 2) }]]);
  const state = {
    ...where,
    ...of,
    microStep: 8,
    cursor: { epoch: 1, row: 64 },
    seed: 42,
    datasetSha256: digest,
    exactness: {},
  };
  const parts = await writeCheckpointParts(blobs, { model: weights, optimizer: weights, state });
  const times = { final: true, createTime: "2026-05-17T09:30:00.000Z", writeSeconds: 0.1 };
  const { manifestSha256 } = await sealCheckpoint(blobs, { ...where, ...of, ...times, microStep: 8, parts });
  const checkpoint = create(CheckpointSchema, { name: "experiments/1-4-0/checkpoints/8", manifestSha256 });
  const gone = create(CheckpointSchema, { name: "experiments/1-4-0/checkpoints/4", manifestSha256: digest });
  const removed = create(CheckpointSchema, {
    ...checkpoint,
    manifestSha256: digest,
    deleteTime: timestampFromMs(1000),
  });

  const whole = await checkCheckpoints(blobs, [gone, removed, checkpoint]);
  assert.deepEqual(whole.differences, []);
  assert.equal(whole.evidence, "1 checkpoints read, 2 removed or not there");

  const other = await checkCheckpoints(blobs, [create(CheckpointSchema, { ...checkpoint, manifestSha256: digest })]);
  assert.deepEqual(
    other.differences.map(({ place, recorded, computed }) => [place, recorded, computed]),
    [["experiments/1-4-0/checkpoints/8: manifest", digest, manifestSha256]],
  );

  const [model] = parts;
  assert.ok(model);
  const bytes = await blobs.read(model.blob);
  await blobs.put(model.blob, bytes.with(bytes.length - 1, 1));
  const flipped = await checkCheckpoints(blobs, [checkpoint]);
  assert.match(flipped.differences[0]?.computed ?? "", /model\.safetensors: SHA-256 is/);
  await blobs.delete(model.blob);
  const incomplete = await checkCheckpoints(blobs, [checkpoint]);
  assert.match(incomplete.differences[0]?.computed ?? "", /model\.safetensors is missing/);
});
