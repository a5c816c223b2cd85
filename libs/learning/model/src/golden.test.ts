import assert from "node:assert/strict";
import { test } from "node:test";
import { assertClose, type GoldenConfig, type GoldenSet, goldenBatches, goldenTest } from "@pretrain/golden";
import * as tf from "@tensorflow/tfjs-core";
import { attentionProbabilities } from "./attention.ts";
import { block } from "./block.ts";
import { embedding } from "./embedding.ts";
import { gatedProjection } from "./feed-forward.ts";
import { decodeStep, logits, newCache } from "./index.ts";
import { linear } from "./linear.ts";
import { rmsNorm } from "./rms-norm.ts";
import { rotated, rotations } from "./rotary.ts";
import { selfAttention, separateHeads } from "./self-attention.ts";
import { goldenModel, tensorOf, valuesOf } from "./testing.ts";
import { matrix, vector } from "./weights.ts";

const modelFiles = ["config.json", "weights.f32.safetensors"];
const logitsTolerance = 2e-5;

/** The input of micro-batch 0: its rows without their last token. */
function firstInput(set: GoldenSet): tf.Tensor2D {
  const rows = goldenBatches(set)[0]?.rows ?? [];
  return tf.tensor2d(
    rows.map((row) => row.slice(0, -1)),
    undefined,
    "int32",
  );
}

for (const precision of ["f32", "f64"]) {
  const file = `forward_backward.${precision}.safetensors`;
  goldenTest(
    "golden-model",
    [...modelFiles, "batches.i32.safetensors", file],
    `logits are those of ${precision}`,
    (set) => {
      const { shape, weights } = goldenModel(set);
      const expected = set.tensors(file);
      const found = logits(weights, firstInput(set), shape);
      assert.deepEqual(found.shape, expected.get("logits")?.shape);
      assertClose(found.dataSync(), valuesOf(expected, "logits"), logitsTolerance, "logits");
    },
  );
}

const intermediates = [...modelFiles, "batches.i32.safetensors", "intermediates.f64.safetensors"];

goldenTest(
  "golden-model",
  intermediates,
  "every part of a layer gives the golden numbers from golden inputs",
  (set) => {
    const { shape, weights } = goldenModel(set);
    const golden = set.tensors("intermediates.f64.safetensors");
    const check = (found: tf.Tensor, name: string) => {
      assertClose(found.dataSync(), valuesOf(golden, name), logitsTolerance, name);
    };
    const tokens = firstInput(set);
    const [batch, sequence] = tokens.shape;
    const turns = rotations(sequence, shape.dim / shape.heads, shape.ropeTheta);
    const attend = (qkv: tf.Tensor2D) => rowsOf(selfAttention(tf.reshape(qkv, [batch, sequence, -1]), turns, shape));
    check(embedding(matrix(weights, "tok_embeddings.weight"), tokens), "embedding");
    let stream = rowsOf(tensorOf(golden, "embedding"));
    for (let layer = 0; layer < shape.layers; layer += 1) {
      const name = `layers.${layer}`;
      const at = <R extends tf.Rank>(part: string) => tensorOf<R>(golden, `${name}.${part}`);
      const normOf = (x: tf.Tensor2D, norm: string) =>
        rmsNorm(x, vector(weights, `${name}.${norm}.weight`), shape.normEps);
      const projected = (x: tf.Tensor2D, ...names: string[]) =>
        tf.concat(
          names.map((each) => linear(x, matrix(weights, `${name}.${each}.weight`))),
          1,
        );
      check(normOf(stream, "attention_norm"), `${name}.attention_norm`);
      const qkv = projected(rowsOf(at("attention_norm")), "attention.wq", "attention.wk", "attention.wv");
      const { queries, keys, values } = separateHeads(tf.reshape(qkv, [batch, sequence, -1]), shape);
      check(rotated(queries, turns), `${name}.q_rope`);
      check(rotated(keys, turns), `${name}.k_rope`);
      check(values, `${name}.v`);
      check(probabilitiesOf(at("q_rope"), at("k_rope")), `${name}.attention_probs`);
      check(linear(attend(qkv), matrix(weights, `${name}.attention.wo.weight`)), `${name}.attention_out`);
      const afterAttention = rowsOf(at("after_attention"));
      check(tf.add(stream, rowsOf(at("attention_out"))), `${name}.after_attention`);
      check(normOf(afterAttention, "ffn_norm"), `${name}.ffn_norm`);
      const gateUp = projected(rowsOf(at("ffn_norm")), "feed_forward.w1", "feed_forward.w3");
      check(gatedProjection(gateUp, matrix(weights, `${name}.feed_forward.w2.weight`)), `${name}.ffn_out`);
      const next: tf.Tensor2D = tf.add(afterAttention, rowsOf(at("ffn_out")));
      assertClose(block(weights, layer, stream, shape, attend).dataSync(), next.dataSync(), logitsTolerance, name);
      stream = next;
    }
    check(rmsNorm(stream, vector(weights, "norm.weight"), shape.normEps), "norm");
  },
);

/** [batch, sequence, …] as [batch * sequence, …]. */
function rowsOf(x: tf.Tensor): tf.Tensor2D {
  return tf.reshape(x, [-1, x.shape.at(-1) ?? 0]);
}

/** [batch, heads, queries, keys], as the golden file has it. */
function probabilitiesOf(q: tf.Tensor4D, k: tf.Tensor4D): tf.Tensor {
  const [batch, sequence, heads, headDim] = q.shape;
  const keyValueHeads = k.shape[2];
  const grouped: tf.Tensor5D = tf.reshape(q, [batch, sequence, keyValueHeads, heads / keyValueHeads, headDim]);
  return attentionProbabilities(tf.transpose(grouped, [0, 2, 3, 1, 4]), tf.transpose(k, [0, 2, 1, 3]));
}

goldenTest("golden-model", intermediates, "pairs that are neighbours are rotated; halves of a head are not", (set) => {
  const { shape, weights } = goldenModel(set);
  const golden = set.tensors("intermediates.f64.safetensors");
  const [cos, sin] = [tensorOf<tf.Rank.R2>(golden, "rope.cos"), tensorOf<tf.Rank.R2>(golden, "rope.sin")];
  const [positions, pairs] = cos.shape;
  const turns = rotations(positions, 2 * pairs, shape.ropeTheta);
  assertClose(turns.cos.dataSync(), cos.dataSync(), 1e-7, "cos");
  assertClose(turns.sin.dataSync(), sin.dataSync(), 1e-7, "sin");

  const input = tensorOf<tf.Rank.R3>(golden, "layers.0.attention_norm");
  const [batch] = input.shape;
  const unrotated = linear(rowsOf(input), matrix(weights, "layers.0.attention.wq.weight"));
  const heads: tf.Tensor4D = tf.reshape(unrotated, [batch, positions, shape.heads, 2 * pairs]);
  const [a, b] = tf.split(heads, 2, 3) as [tf.Tensor4D, tf.Tensor4D];
  const [c, s] = [tf.expandDims(cos, 1), tf.expandDims(sin, 1)];
  const halves = tf.concat([tf.sub(tf.mul(a, c), tf.mul(b, s)), tf.add(tf.mul(a, s), tf.mul(b, c))], 3);
  assert.throws(() => assertClose(halves.dataSync(), valuesOf(golden, "layers.0.q_rope"), 0.1), /they differ by/);
});

goldenTest("golden-model", modelFiles, "a token changes no score before it, and every score from it on", (set) => {
  const { shape, weights } = goldenModel(set);
  const tokens = Array.from({ length: 16 }, (_, index) => 3 + ((index * 7) % (shape.vocabularySize - 3)));
  for (const changed of [0, 1, 8, 15]) {
    const others = tokens.with(changed, tokens[changed] === 3 ? 4 : 3);
    const [before, after] = [tokens, others].map((row) =>
      logits(weights, tf.tensor2d([row], undefined, "int32"), shape),
    );
    const differences = tf.max(tf.abs(tf.sub(before as tf.Tensor3D, after as tf.Tensor3D)), -1).dataSync();
    assertClose(differences.subarray(0, changed), new Float32Array(changed), 0, `before ${changed}`);
    assert.ok(
      differences.subarray(changed).every((difference) => difference > 1e-4),
      `from ${changed} on`,
    );
  }
});

goldenTest(
  "golden-model",
  modelFiles,
  "decoding with a cache gives the scores of the whole sequence, however it is cut and padded",
  (set) => {
    const { shape, weights } = goldenModel(set);
    const rows = [0, 1].map((row) =>
      Array.from({ length: 20 }, (_, index) => (row * 11 + index * 5) % shape.vocabularySize),
    );
    const whole = logits(weights, tf.tensor2d(rows, undefined, "int32"), shape);
    for (const parts of [[20], [1, 19], [19, 1], [5, 1, 1, 6, 7], Array<number>(20).fill(1)]) {
      let cache = newCache(shape, 2, 24);
      let end = 0;
      for (const length of parts) {
        const part = rows.map((row) => [...row.slice(end, end + length), 5, 6].slice(0, Math.max(length, 2)));
        const decoded = decodeStep(weights, stepAt(part, end, length), cache, shape);
        cache = decoded.cache;
        end += length;
        const expected = tf.slice(whole, [0, end - 1, 0], [2, 1, shape.vocabularySize]).dataSync();
        assertClose(
          decoded.logits.dataSync(),
          expected,
          logitsTolerance,
          `after ${end} tokens in parts of ${parts.join(", ")}`,
        );
      }
      assert.equal(cache.length, shape.layers);
    }
  },
);

/** A step of the first `length` tokens of each row; those behind them are no real ones. */
const stepAt = (rows: number[][], position: number, length: number) => ({
  tokens: tf.tensor2d(rows, undefined, "int32"),
  position: tf.scalar(position, "int32"),
  last: tf.scalar(length - 1, "int32"),
});

goldenTest("golden-model", modelFiles, "a sequence, and a cache, longer than the model is refused", (set) => {
  const { shape, weights } = goldenModel(set);
  const { max_seq_len: limit } = set.json<GoldenConfig>("config.json");
  assert.throws(() => logits(weights, tf.zeros([1, limit + 1], "int32"), shape), /the model has \d+ positions/);
  assert.throws(() => newCache(shape, 1, limit + 1), /the model has \d+ positions/);
});

void test("the gradient of the embedding adds up all positions that read a row, and is 0 for the others", () => {
  const weight = tf.tensor2d([
    [1, 2],
    [3, 4],
    [5, 6],
  ]);
  const tokens = tf.tensor2d(
    [
      [2, 0],
      [2, 2],
    ],
    undefined,
    "int32",
  );
  const scale = tf.tensor2d([
    [1, 10],
    [2, 20],
    [3, 30],
    [4, 40],
  ]);
  const [gradient] = tf.grads((w) => tf.sum(tf.mul(embedding(w as tf.Tensor2D, tokens), scale)))([weight]);
  assert.deepEqual([...embedding(weight, tokens).dataSync()], [5, 6, 1, 2, 5, 6, 5, 6]);
  assert.deepEqual([...(gradient?.dataSync() ?? [])], [2, 20, 0, 0, 8, 80]);
});

void test("weights that lack a tensor, or have one of the wrong rank, are named", () => {
  assert.throws(
    () => matrix({}, "layers.0.attention.wq.weight"),
    /the weights have no layers\.0\.attention\.wq\.weight/,
  );
  assert.throws(() => matrix({ w: tf.zeros([2]) }, "w"), /w has rank 1, expected 2/);
});
