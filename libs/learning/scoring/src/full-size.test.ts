/**
 * The model at its real size, 25,829,888 parameters, without a weight file: weights and tokens come from a hash that the
 * golden file describes. Forward and backward of two rows, so this is slow, and once is enough.
 */
import "@pretrain/tensorflow-native";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { assertClose, goldenShape, goldenTest, hashedTensor, type ModelConfig } from "@pretrain/golden";
import {
  initialWeights,
  logits,
  type ModelShape,
  type Predictions,
  parameterCount,
  parameterShapes,
  predictions,
  type Weights,
} from "@pretrain/model";
import * as tf from "@tensorflow/tfjs-core";
import { countsOfLengths, type LossSum, nextTokenLoss, nextTokenLosses } from "./index.ts";
import { likeliest } from "./token-choice.ts";

interface FullSize {
  readonly config: ModelConfig;
  readonly parameters: number;
  readonly row_lengths: number[];
  readonly rows: number[][];
  readonly tensors: { name: string; shape: number[]; sha256_f32le: string; first: number[] }[];
  readonly f64: Reference;
}

interface Reference {
  readonly loss: number;
  readonly loss_sum: number;
  readonly targets: number;
  readonly row_loss_sums: number[];
  readonly token_losses_row0_every_32: number[];
  readonly logits_row0_last_first_16: number[];
  readonly logits_row0_last_argmax: number;
  readonly grad_global_norm: number;
  readonly grads: Record<string, { norm: number; max_abs: number; first: number[] }>;
}

const alreadyRun = new Set<string>();

goldenTest("golden-model", ["full_size.json"], "the full size has the golden weights, loss and gradients", (set, t) => {
  const text = readFileSync(set.path("full_size.json"), "utf8");
  if (alreadyRun.has(text)) return t.skip(`${set.title}: full_size.json is the one that was already run`);
  alreadyRun.add(text);
  const golden = set.json<FullSize>("full_size.json");
  const shape = goldenShape(golden.config, golden.rows[0]?.length ?? 0);
  assert.equal(parameterCount(shape), golden.parameters);
  const weights = hashedWeights(shape, golden);
  const tokens = tf.tensor2d(golden.rows, undefined, "int32");
  const counts = countsOfLengths(tf.tensor1d(golden.row_lengths, "int32"), shape.maxSequenceLength);
  tf.tidy(() => checkLosses(predictions(weights, tokens, shape), tokens, counts, golden.f64));
  tf.tidy(() => checkScores(logits(weights, tokens, shape), golden.f64));
  tf.tidy(() =>
    checkBackward(weights, (current) => nextTokenLoss(predictions(current, tokens, shape), tokens, counts), golden.f64),
  );
});

const alreadyBegun = new Set<string>();

goldenTest(
  "golden-model",
  ["full_size.json"],
  "weights drawn for a run begin between 8.9 and 9.0 nats per token",
  (set, t) => {
    const text = readFileSync(set.path("full_size.json"), "utf8");
    if (alreadyBegun.has(text)) return t.skip(`${set.title}: full_size.json is the one that was already run`);
    alreadyBegun.add(text);
    const golden = set.json<FullSize>("full_size.json");
    const [row = []] = golden.rows;
    const shape = goldenShape(golden.config, row.length);
    const drawn = [...initialWeights(shape, 42)];
    const weights = Object.fromEntries(
      drawn.map(([name, values]) => [name, tf.tensor(values, [...(parameterShapes(shape).get(name) ?? [])])]),
    );
    const tokens = tf.tensor2d([row], undefined, "int32");
    const { nats } = tf.tidy(() => nextTokenLoss(predictions(weights, tokens, shape), tokens, tf.onesLike(tokens)));
    const loss = (nats.dataSync()[0] ?? Number.NaN) / (row.length - 1);
    assert.ok(loss > 8.9 && loss < 9, `${loss}`); // equal scores for all tokens would cost ln 6400 = 8.76
  },
);

/** The weights by the file's rule, each with the digest that the file says. */
function hashedWeights(shape: ModelShape, golden: FullSize): Weights {
  const tensors = [...parameterShapes(shape)].map(([name, lengths], stream) => {
    const values = hashedTensor(stream, lengths);
    const expected = golden.tensors[stream];
    assert.deepEqual([name, lengths], [expected?.name, expected?.shape]);
    assert.equal(createHash("sha256").update(values).digest("hex"), expected?.sha256_f32le, name);
    return [name, tf.tensor(values, [...lengths])];
  });
  return Object.fromEntries(tensors);
}

function checkLosses(made: Predictions, tokens: tf.Tensor2D, counts: tf.Tensor2D, reference: Reference): void {
  const losses = nextTokenLosses(made, tokens, counts);
  assertClose(tf.sum(losses, 1).dataSync(), reference.row_loss_sums, { relative: 2e-6 }, "row losses");
  const firstRow = losses.dataSync().subarray(0, tokens.shape[1] - 1);
  const everyThirtySecond = firstRow.filter((_, index) => index % 32 === 0);
  assertClose(everyThirtySecond, reference.token_losses_row0_every_32, 2e-5, "token losses");
  assert.equal(losses.dataSync().filter((loss) => loss > 0).length, reference.targets);
}

function checkScores(scores: tf.Tensor3D, reference: Reference): void {
  const [, sequence, vocabulary] = scores.shape;
  const last = tf.slice(scores, [0, sequence - 2, 0], [1, 1, vocabulary]).dataSync();
  assertClose(last.subarray(0, 16), reference.logits_row0_last_first_16, 2e-5, "logits");
  assert.equal(likeliest(last), reference.logits_row0_last_argmax);
}

function checkBackward(weights: Weights, lossOf: (weights: Weights) => LossSum, reference: Reference): void {
  const names = Object.keys(weights);
  const nats = (...tensors: tf.Tensor[]) =>
    lossOf(Object.fromEntries(names.map((name, index) => [name, tensors[index] ?? tf.scalar(0)]))).nats;
  const { value, grads } = tf.valueAndGrads(nats)(Object.values(weights));
  assertClose(value.dataSync(), reference.loss_sum, { relative: 2e-6 }, "loss sum");
  assertClose((value.dataSync()[0] ?? Number.NaN) / reference.targets, reference.loss, { relative: 2e-6 }, "loss");
  let squares = 0;
  for (const [index, name] of names.entries()) {
    const gradient = tf.div(grads[index] ?? tf.scalar(0), reference.targets).dataSync<"float32">();
    const expected = reference.grads[name] ?? { norm: Number.NaN, max_abs: Number.NaN, first: [] };
    const square = gradient.reduce((total, each) => total + each * each, 0);
    assertClose(Math.sqrt(square), expected.norm, { relative: 1e-5 }, `norm of ${name}`);
    assertClose(gradient.subarray(0, expected.first.length), expected.first, 1e-5 * expected.max_abs, name);
    squares += square;
  }
  assertClose(Math.sqrt(squares), reference.grad_global_norm, { relative: 1e-5 }, "global norm");
}
