import assert from "node:assert/strict";
import { test } from "node:test";
import { jobsToMake } from "./scaled-job.ts";

const eight = { lagThreshold: 1, maxReplicaCount: 8 };

for (const [claim, lags, running, jobs] of [
  ["nothing waits: none", [0, 0, 0], 0, 0],
  ["three pieces in three queues: three", [1, 1, 1], 0, 3],
  ["three pieces, all in workers' hands: no further one", [0, 3, 0], 3, 0],
  ["three in hands and two that wait: two", [0, 5, 0], 3, 2],
  ["a hundred pieces: as many as there are places", [20, 60, 20], 0, 8],
  ["a hundred pieces, and every place is taken: none", [20, 60, 20], 8, 0],
  ["a worker that is about to end counts until it has ended", [0, 1, 0], 2, 0],
] as const) {
  test(claim, () => assert.equal(jobsToMake(lags, running, eight), jobs));
}
