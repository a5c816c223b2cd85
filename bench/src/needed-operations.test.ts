import assert from "node:assert/strict";
import { test } from "node:test";
import {
  forwardOperationsPerToken,
  scoringOperationsPerToken,
  trainingOperationsPerToken,
} from "./needed-operations.ts";
import { models } from "./workload.ts";

test("a token of the baseline, trained in rows of 512, needs 167.5 million operations", () => {
  const { sequence, ...model } = models.baseline;
  assert.equal((trainingOperationsPerToken(model, sequence) / 1e6).toFixed(1), "167.5");
});

test("a scored file needs what its rows need, each weighed by its tokens", () => {
  const { sequence: _, ...model } = models.small;
  const of = (length: number) => forwardOperationsPerToken(model, length);
  assert.equal(scoringOperationsPerToken(model, [1, 3]), (of(1) + 3 * of(3)) / 4);
});
