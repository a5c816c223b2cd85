/** The plain model against golden numbers that PyTorch computed in 64 bits. */
import assert from "node:assert/strict";
import { assertClose, type GoldenConfig, type GoldenSet, goldenBatches, goldenTest } from "@pretrain/golden";
import { type PlainLlama, plainLogits } from "./plain-llama.ts";

const files = ["config.json", "weights.f32.safetensors", "batches.i32.safetensors", "forward_backward.f64.safetensors"];

function goldenLlama(set: GoldenSet): PlainLlama {
  const config = set.json<GoldenConfig>("config.json");
  const stored = set.tensors("weights.f32.safetensors");
  const tensor = (name: string) => Float32Array.from(stored.get(`${name}.weight`)?.values ?? []);
  return {
    dim: config.dim,
    heads: config.n_heads,
    keyValueHeads: config.n_kv_heads,
    headDim: config.dim / config.n_heads,
    normEps: config.norm_eps,
    ropeTheta: config.rope_theta,
    rotaryPairs: "neighbours",
    embedding: tensor("tok_embeddings"),
    norm: tensor("norm"),
    layers: Array.from({ length: config.n_layers }, (_, layer) => {
      const of = (name: string) => tensor(`layers.${layer}.${name}`);
      return {
        attentionNorm: of("attention_norm"),
        query: of("attention.wq"),
        key: of("attention.wk"),
        value: of("attention.wv"),
        output: of("attention.wo"),
        feedForwardNorm: of("ffn_norm"),
        gate: of("feed_forward.w1"),
        down: of("feed_forward.w2"),
        up: of("feed_forward.w3"),
      };
    }),
  };
}

/** Expected logits and tokens of the first row of the first batch. */
function goldenRow(set: GoldenSet) {
  const [batch] = goldenBatches(set);
  const expected = set.tensors("forward_backward.f64.safetensors").get("logits");
  assert(batch !== undefined && expected !== undefined);
  const [, positions = 0, vocabulary = 0] = expected.shape;
  const tokens = batch.rows[0]?.slice(0, positions) ?? [];
  return { tokens, logits: Array.from(expected.values).slice(0, positions * vocabulary) };
}

goldenTest("golden-model", files, "plain numbers give the golden logits to the 12th digit", (set) => {
  const { tokens, logits } = goldenRow(set);
  const found = plainLogits(goldenLlama(set), tokens).flatMap((scores) => [...scores]);
  assertClose(found, logits, 1e-12, "logits");
});

goldenTest("golden-model", files, "pairs in two halves turn other numbers: the logits are far off", (set) => {
  const { tokens, logits } = goldenRow(set);
  const found = plainLogits({ ...goldenLlama(set), rotaryPairs: "halves" }, tokens).flatMap((scores) => [...scores]);
  const furthest = Math.max(...found.map((score, index) => Math.abs(score - (logits[index] ?? Number.NaN))));
  assert.ok(furthest > 1, `${furthest}`);
});

goldenTest("golden-model", files, "a token outside the vocabulary is refused", (set) => {
  assert.throws(() => plainLogits(goldenLlama(set), [64]), RangeError);
});
