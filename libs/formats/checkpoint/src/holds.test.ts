import assert from "node:assert/strict";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { openBlobs } from "@pretrain/blobs";
import { temporaryDirectory } from "@pretrain/testing";
import { checkpointHolders, holdCheckpoint, releaseCheckpoint } from "./index.ts";

test("a checkpoint is held by whoever said so and has not let go, each for itself", async (t) => {
  const blobs = openBlobs(pathToFileURL(temporaryDirectory(t)).href);
  const [four, forty] = [4, 40].map((microStep) => ({ experiment: "a", microStep }));
  assert.ok(four && forty);
  assert.deepEqual(await checkpointHolders(blobs, four), []);
  await holdCheckpoint(blobs, four, "fork-b");
  await holdCheckpoint(blobs, four, "fork-b");
  await holdCheckpoint(blobs, four, "evaluation-a-4");
  assert.deepEqual(await checkpointHolders(blobs, four), ["evaluation-a-4", "fork-b"]);
  assert.deepEqual(await checkpointHolders(blobs, forty), []); // 4 is no prefix of 40
  await releaseCheckpoint(blobs, four, "fork-b");
  await releaseCheckpoint(blobs, four, "fork-b");
  assert.deepEqual(await checkpointHolders(blobs, four), ["evaluation-a-4"]);
});
