import assert from "node:assert/strict";
import { test } from "node:test";
import { type GoldenConfig, goldenShape, goldenTest } from "@pretrain/golden";
import { hiddenDimension, type ModelShape, parameterCount, parameterShapes } from "./index.ts";

const recorded: ModelShape = {
  vocabularySize: 6400,
  dim: 512,
  layers: 8,
  heads: 32,
  keyValueHeads: 8,
  hiddenDim: 1408,
  normEps: 1e-5,
  ropeTheta: 1e6,
  maxSequenceLength: 512,
};

void test("the recorded model has 25,829,888 parameters in 74 tensors", () => {
  assert.equal(parameterCount(recorded), 25_829_888);
  assert.equal(parameterShapes(recorded).size, 74);
  // By hand: the embedding, 8 layers of (two norms, q and o, k and v, three feed-forward matrices), the last norm.
  const layer = 2 * 512 + 2 * 512 * 512 + 2 * 128 * 512 + 3 * 1408 * 512;
  assert.equal(parameterCount(recorded), 6400 * 512 + 8 * layer + 512);
});

void test("the feed-forward width is two thirds of 4 dim, rounded up to a multiple of 64", () => {
  assert.equal(hiddenDimension(512), 1408); // 1365.3
  assert.equal(hiddenDimension(128), 384); // 341.3
  assert.equal(hiddenDimension(96), 256); // exactly
  assert.equal(hiddenDimension(32, 8), 88); // 85.3
});

goldenTest(
  "golden-model",
  ["config.json", "expected.json", "weights.f32.safetensors"],
  "names, order and shapes of the parameters are those of the stored weights",
  (set) => {
    const config = set.json<GoldenConfig>("config.json");
    const shape = goldenShape(config, config.max_seq_len);
    const expected = set.json<{ parameters: number; parameter_order: string[] }>("expected.json");
    const stored = set.tensors("weights.f32.safetensors");
    assert.deepEqual([...parameterShapes(shape).keys()], expected.parameter_order);
    assert.equal(parameterCount(shape), expected.parameters);
    for (const [name, lengths] of parameterShapes(shape)) assert.deepEqual(stored.get(name)?.shape, lengths, name);
    assert.equal(stored.size, expected.parameter_order.length);
  },
);
