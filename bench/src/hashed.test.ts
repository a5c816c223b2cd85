import assert from "node:assert/strict";
import { test } from "node:test";
import { hashedTensor } from "@pretrain/golden";
import { hashedWeights, rowsOfLengths, shapeOf } from "./contenders/hashed.ts";
import { models } from "./workload.ts";

test("weights are those of the golden file's rule, in its order", () => {
  const { sequence, ...model } = models.small;
  let stream = 0;
  for (const { name, shape, values } of hashedWeights(shapeOf({ model, sequence }))) {
    if (stream < 3) assert.deepEqual(values, hashedTensor(stream, shape), name);
    stream += 1;
  }
  assert.equal(stream, 2 + 9 * model.n_layers);
});

test("rows of a file follow each other in one text", () => {
  const whole = rowsOfLengths([5], 6400)[0] ?? new Int32Array();
  assert.deepEqual(rowsOfLengths([2, 3], 6400), [whole.slice(0, 2), whole.slice(2)]);
});
