import assert from "node:assert/strict";
import { test } from "node:test";
import { FailedPrecondition } from "@pretrain/errors";
import { llamaConfig } from "./llama-config.ts";
import { statedShape } from "./stated-model.ts";

const shape = {
  vocabularySize: 6400,
  dim: 512,
  layers: 8,
  heads: 8,
  keyValueHeads: 2,
  headDim: 64,
  hiddenDim: 1408,
  normEps: 1e-5,
  ropeTheta: 1e6,
  maxSequenceLength: 8192,
};
/** As MiniMind's first configuration class is saved. */
const early = { dim: 512, n_layers: 8, n_heads: 8, n_kv_heads: 2, vocab_size: 6400, hidden_dim: null, multiple_of: 64 };
const rest = { norm_eps: 1e-5, max_seq_len: 8192, rope_theta: 1e6, use_moe: false, model_type: "minimind" };

test("one model stated by either class is the same model", () => {
  assert.deepEqual(statedShape(llamaConfig(shape, { bos: 1, eos: 2, pad: 0 }), "config.json"), {
    ...shape,
    isTied: true,
  });
  assert.deepEqual(statedShape({ ...early, ...rest }, "config.json"), shape); // 64 * ceil(1365 / 64) = 1408
  assert.deepEqual(statedShape({ ...early, ...rest, hidden_dim: 1024 }, "config.json"), { ...shape, hiddenDim: 1024 });
});

const nested: unknown = JSON.parse("[".repeat(100_000) + "]".repeat(100_000));

for (const [claim, config, fault] of [
  [
    "wider heads",
    { ...llamaConfig(shape, { bos: 1, eos: 2, pad: 0 }), head_dim: 128 },
    /heads of 128; only dim 512 \/ heads 8 = 64/,
  ],
  ["experts", { ...early, ...rest, use_moe: true }, /mixture of experts/],
  ["a field that is missing", { ...early, ...rest, norm_eps: undefined }, /nothing as norm_eps; a number above 0/],
  ["a field that is a text", { ...early, ...rest, dim: "512" }, /"512" as dim/],
  ["a list", [], /is no JSON object/],
  ["a part of a layer", { ...early, ...rest, n_layers: 0.5 }, /0.5 as n_layers; a whole number/],
  ["more heads than any", { ...early, ...rest, n_heads: 1e308 }, /1e\+308 as n_heads; a whole number up to/],
  ["heads that do not divide the width", { ...early, ...rest, dim: 500 }, /only dim 500 \/ heads 8 = 62.5/],
  ["brackets without end", { ...early, ...rest, dim: nested }, /has \[{100} as dim/],
  [
    "the same beside a number for a key",
    { ...early, ...rest, dim: { 0: 1, a: nested } },
    /nested too deeply to be shown as dim/,
  ],
  ["brackets without end by the other names", { model_type: nested }, /model_type is \[{100};/],
] as const) {
  // biome-ignore format: a table
  test(`${claim}: refused by name`, () => {
    assert.throws(
      () => statedShape(config, "config.json"),
      (error) => error instanceof FailedPrecondition && fault.test(error.message),
    );
  });
}
