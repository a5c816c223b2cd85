/** config.json: what is written is read back, and what would compute something else is refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FailedPrecondition } from "@pretrain/errors";
import { llamaConfig, llamaShape } from "./llama-config.ts";

const shape = {
  vocabularySize: 300,
  dim: 16,
  layers: 2,
  heads: 4,
  keyValueHeads: 2,
  headDim: 4,
  hiddenDim: 64,
  normEps: 1e-5,
  ropeTheta: 1e6,
  maxSequenceLength: 64,
};
const config = llamaConfig(shape, { bos: 1, eos: 2, pad: 0 });

test("the sizes written are the sizes read", () => {
  const json: unknown = JSON.parse(JSON.stringify(config));
  assert.deepEqual(llamaShape(json, "config.json"), { ...shape, isTied: true });
});

test("what transformers leaves out has its default: key heads, width of a head, base of the angles, an output of its own", () => {
  const leftOut = ["num_key_value_heads", "head_dim", "rope_theta", "rope_parameters", "tie_word_embeddings"];
  const rest = Object.fromEntries(Object.entries(config).filter(([name]) => !leftOut.includes(name)));
  assert.deepEqual(llamaShape(rest, "config.json"), { ...shape, keyValueHeads: 4, ropeTheta: 10_000, isTied: false });
});

for (const [claim, change, field] of [
  ["another architecture", { model_type: "qwen3" }, /model_type is "qwen3"/],
  ["another activation", { hidden_act: "gelu" }, /hidden_act is "gelu"/],
  ["biases", { attention_bias: true }, /attention_bias is true/],
  ["scaled positions", { rope_scaling: { rope_type: "yarn" } }, /rope_scaling is \{/],
  ["scaled positions in the newer spelling", { rope_parameters: { rope_type: "llama3" } }, /rope_type is "llama3"/],
  ["a size that is none", { hidden_size: "16" }, /hidden_size is "16"; an integer/],
  ["a size beyond the limit", { vocab_size: 1e12 }, /vocab_size is 1000000000000/],
] as const) {
  test(`${claim}: refused by the field's name`, () => {
    const isRefused = (error: unknown) => error instanceof FailedPrecondition && field.test(error.message);
    assert.throws(() => llamaShape({ ...config, ...change }, "config.json"), isRefused);
  });
}
