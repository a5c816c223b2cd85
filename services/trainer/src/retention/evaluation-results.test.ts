import assert from "node:assert/strict";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { openBlobs } from "@pretrain/blobs";
import type { CheckpointManifest } from "@pretrain/checkpoint";
import { temporaryDirectory } from "@pretrain/testing";
import { type EvaluationResult, readResults, writeResult } from "./evaluation-results.ts";

const [bytes, others] = ["a".repeat(64), "b".repeat(64)];
const sealed = { manifest: { experiment: "a", microStep: 8 } as CheckpointManifest, manifestSha256: bytes };
const of = (lossNatsPerToken?: number, supersedes?: string, manifestSha256 = bytes): EvaluationResult => ({
  manifestSha256,
  ...(lossNatsPerToken !== undefined && { lossNatsPerToken }),
  ...(supersedes !== undefined && { supersedes }),
});

for (const [claim, results, expected] of [
  ["no evaluation has ended", {}, undefined],
  ["one has", { "a-8": of(3) }, { lossNatsPerToken: 3 }],
  ["it failed", { "a-8": of() }, { lossNatsPerToken: undefined }],
  ["the lowest of several counts", { "a-8": of(3), "a-8-x": of(2.9) }, { lossNatsPerToken: 2.9 }],
  [
    "a correction counts in place of what it corrects, though that is lower",
    { "a-8": of(2), "a-8-x": of(3, "a-8") },
    { lossNatsPerToken: 3 },
  ],
  [
    "a correction of a correction",
    { "a-8": of(2), "a-8-x": of(1, "a-8"), "a-8-y": of(3, "a-8-x") },
    { lossNatsPerToken: 3 },
  ],
  [
    "a correction that failed corrects nothing",
    { "a-8": of(2), "a-8-x": of(undefined, "a-8") },
    { lossNatsPerToken: 2 },
  ],
  ["other bytes under the same name say nothing", { "a-8": of(2, undefined, others) }, undefined],
  ["nor do they correct", { "a-8": of(2), "a-8-x": of(1, "a-8", others) }, { lossNatsPerToken: 2 }],
] as const) {
  // biome-ignore format: a table
  test(claim, async (t) => {
    const blobs = openBlobs(pathToFileURL(temporaryDirectory(t)).href);
    for (const [name, result] of Object.entries(results)) await writeResult(blobs, sealed.manifest, name, result);
    await writeResult(blobs, { experiment: "a", microStep: 80 }, "a-80", of(1)); // another checkpoint's
    await blobs.put("experiments/a/checkpoints/8/results/damaged.json", Buffer.from("{"));
    assert.deepEqual((await readResults(blobs, "a"))(sealed), expected);
  });
}
