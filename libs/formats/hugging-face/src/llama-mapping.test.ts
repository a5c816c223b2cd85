/** What Hugging Face's Llama calls our parameters, and in which order it has their rows. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type LlamaShape, llamaParameters, rowsInHalves, rowsInPairs } from "./llama-mapping.ts";

const shape: LlamaShape = {
  vocabularySize: 6400,
  dim: 512,
  layers: 8,
  heads: 32,
  keyValueHeads: 8,
  headDim: 16,
  hiddenDim: 1408,
  normEps: 1e-5,
  ropeTheta: 1e6,
  maxSequenceLength: 512,
};

test("rows of a head go from neighbouring pairs to two halves, each head for itself, and back", () => {
  const ours = Float32Array.of(0, 1, 10, 11, 20, 21, 30, 31, /* second head */ 40, 41, 50, 51, 60, 61, 70, 71); // [8, 2]
  const theirs = [0, 1, 20, 21, 10, 11, 30, 31, 40, 41, 60, 61, 50, 51, 70, 71];
  assert.deepEqual([...rowsInHalves(ours, 2, 2)], theirs);
  assert.deepEqual([...rowsInPairs(Float32Array.from(theirs), 2, 2)], [...ours]);
});

test("as one head the same rows would stand in another order: the number of heads decides", () => {
  const ours = Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7);
  assert.deepEqual([...rowsInHalves(ours, 1, 1)], [0, 2, 4, 6, 1, 3, 5, 7]);
  assert.deepEqual([...rowsInHalves(ours, 2, 1)], [0, 2, 1, 3, 4, 6, 5, 7]);
  assert.throws(() => rowsInHalves(ours, 3, 1), RangeError);
});

test("the recorded model has 74 tensors of 25,829,888 numbers, all named, none twice, none for the output", () => {
  const parameters = llamaParameters(shape);
  const count = parameters.reduce((sum, each) => sum + each.shape.reduce((a, b) => a * b, 1), 0);
  assert.deepEqual([parameters.length, count], [74, 25_829_888]);
  const names = new Set(parameters.map(({ theirs }) => theirs));
  assert.equal(names.size, 74);
  assert.ok(!names.has("lm_head.weight"));
});

test("queries are in the order of the query heads, keys in that of the key heads, nothing else is reordered", () => {
  const reordered = llamaParameters({ ...shape, layers: 1 }).filter(({ rotaryHeads }) => rotaryHeads !== undefined);
  assert.deepEqual(
    reordered.map(({ ours, theirs, shape: lengths, rotaryHeads }) => [ours, theirs, lengths, rotaryHeads]),
    [
      ["layers.0.attention.wq.weight", "model.layers.0.self_attn.q_proj.weight", [512, 512], 32],
      ["layers.0.attention.wk.weight", "model.layers.0.self_attn.k_proj.weight", [128, 512], 8],
    ],
  );
});
