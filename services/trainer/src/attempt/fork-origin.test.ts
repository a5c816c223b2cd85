/** A fork's first attempt takes its parent's checkpoint as it was forked, or fails and says why. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { create } from "@bufbuild/protobuf";
import { openBlobs } from "@pretrain/blobs";
import { checkpointName, sealCheckpoint, writeCheckpointParts } from "@pretrain/checkpoint";
import { OriginSchema, Experiment_Reason as Reason } from "@pretrain/proto";
import { type TestScope, temporaryDirectory } from "@pretrain/testing";
import { ExperimentFault } from "./faults.ts";
import { originCheckpoint } from "./fork-origin.ts";

async function forked(t: TestScope) {
  const blobs = openBlobs(pathToFileURL(temporaryDirectory(t)).href);
  const shared = {
    experiment: "parent",
    attempt: 1,
    attemptNonce: "n",
    microStep: 4,
    optimizerStep: 2,
    epoch: 1,
    tokensSeen: 8,
    recipeSha256: "0".repeat(64),
    dataset: "d",
  };
  const state = { ...shared, cursor: { epoch: 1, row: 4 }, seed: 1, datasetSha256: "1".repeat(64), exactness: {} };
  const model = new Map([["w", { dtype: "F32" as const, shape: [2], data: new Float32Array([1, 2]) }]]);
  const parts = await writeCheckpointParts(blobs, { model, optimizer: new Map(), state });
  const createTime = "2025-07-30T15:30:00.000Z";
  const sealed = await sealCheckpoint(blobs, { ...shared, final: false, createTime, writeSeconds: 0, parts });
  const { manifest, manifestSha256 } = sealed;
  return { blobs, sealed, origin: create(OriginSchema, { checkpoint: checkpointName(manifest), manifestSha256 }) };
}

const failsWith = (message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ExperimentFault);
  assert.equal(error.reason, Reason.DATA_LOSS);
  assert.match(error.message, message);
  return true;
};

test("the checkpoint that was forked is found, whole", async (t) => {
  const { blobs, origin, sealed } = await forked(t);
  assert.deepEqual(await originCheckpoint(blobs, origin, "fork-b"), sealed);
});

test("gone, damaged by one bit, or replaced: the experiment fails and says which", async (t) => {
  const { blobs, origin, sealed } = await forked(t);
  const other = { ...origin, manifestSha256: "2".repeat(64) };
  await assert.rejects(
    originCheckpoint(blobs, other, "fork-b"),
    failsWith(/checkpoints\/4, .* is not the one that was forked/),
  );
  const [model] = sealed.manifest.parts;
  assert.ok(model);
  const bytes = await blobs.read(model.blob);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  await blobs.put(model.blob, bytes);
  await assert.rejects(originCheckpoint(blobs, origin, "fork-b"), failsWith(/is damaged: .*model\.safetensors/));
  await blobs.delete(model.blob);
  await assert.rejects(originCheckpoint(blobs, origin, "fork-b"), failsWith(/is damaged: .* is missing/));
  for await (const { key } of blobs.list("experiments/parent/checkpoints/4/")) await blobs.delete(key);
  await assert.rejects(originCheckpoint(blobs, origin, "fork-b"), failsWith(/is gone; fork from another checkpoint/));
});
