import "@pretrain/tensorflow-native";
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertClose } from "@pretrain/golden";
import * as tf from "@tensorflow/tfjs-core";
import { chunkedScores } from "./chunked-loss.ts";
import { crossEntropy } from "./cross-entropy.ts";
import { countsOfLengths, nextTokenLoss, nextTokenLosses, nextTokenScores } from "./index.ts";
import { likeliest } from "./token-choice.ts";

const tokens = [0, 3, 1, 2]; // four tokens of a vocabulary of four: three predictions
const uniform = (size: number) => Array.from({ length: size }, () => Array<number>(size).fill(0));
const certainOf = (next: number[]) => next.map((token) => [0, 1, 2, 3].map((id) => (id === token ? 100 : 0)));
/** Predictions whose logits these are. */
const predicting = (logits: number[][]) => ({ hidden: tf.tensor2d(logits), outputMatrix: tf.eye(4) as tf.Tensor2D });
const lossOf = (logits: number[][], counts = [1, 1, 1, 1]) => {
  const row = tf.tensor2d([tokens], undefined, "int32");
  const loss = nextTokenLoss(predicting(logits), row, tf.tensor2d([counts]));
  return { nats: loss.nats.dataSync()[0] ?? Number.NaN, tokens: loss.tokens.dataSync()[0] ?? Number.NaN };
};

const claims: readonly [claim: string, logits: number[][], nats: number][] = [
  ["uniform logits cost ln V for each token", uniform(4), 3 * Math.log(4)],
  ["knowing the next token costs nothing", certainOf([3, 1, 2, 0]), 0], // logit 100 for that token, 0 for the others
  ["knowing the token just read costs 100 for each: the wrong shift", certainOf([0, 3, 1, 2]), 300],
  ["what the last position says is no matter", [...certainOf([3, 1, 2]), [1e4, -1e4, 0, 0]], 0],
];
for (const [claim, logits, nats] of claims) {
  test(claim, () => {
    assertClose(lossOf(logits).nats, nats, 1e-5);
    assert.equal(lossOf(logits).tokens, 3);
  });
}

test("a token that is not counted costs nothing, wherever it stands; the first one is never a target", () => {
  const wrong = certainOf([0, 3, 1, 2]); // 100 nats for each target
  assert.deepEqual(lossOf(wrong, [1, 1, 0, 0]), { nats: 100, tokens: 1 });
  assert.deepEqual(lossOf(wrong, [0, 1, 1, 1]), { nats: 300, tokens: 3 });
  assert.deepEqual(lossOf(wrong, [1, 0, 0, 1]), { nats: 100, tokens: 1 });
  assert.deepEqual(lossOf(wrong, [0, 0, 0, 0]), { nats: 0, tokens: 0 });
});

test("token losses stand where the prediction was made", () => {
  const logits = predicting(certainOf([3, 0, 2, 0])); // right, wrong, right
  const losses = nextTokenLosses(logits, tf.tensor2d([tokens], undefined, "int32"), tf.tensor2d([[1, 1, 1, 1]]));
  assert.deepEqual(losses.shape, [1, 3]);
  assertClose(losses.dataSync(), [0, 100, 0], 1e-5);
});

test("tokens and counts of another shape are refused by name", () => {
  const logits = predicting(uniform(4));
  const row: tf.Tensor2D = tf.zeros([1, 4], "int32");
  assert.throws(() => nextTokenLoss(logits, row, tf.ones([1, 3])), /counts is \[1, 3\], expected \[1, 4\]/);
  assert.throws(
    () => nextTokenLoss(logits, tf.zeros([2, 4], "int32"), tf.ones([2, 4])),
    /hidden is \[4, 4\], expected \[8, 4\]/,
  );
});

test("position p is real when p < length, whatever its token is", () => {
  const counts = countsOfLengths(tf.tensor1d([0, 1, 3, 4, 9], "int32"), 4);
  assert.deepEqual(counts.arraySync(), [
    [0, 0, 0, 0],
    [1, 0, 0, 0],
    [1, 1, 1, 0],
    [1, 1, 1, 1],
    [1, 1, 1, 1],
  ]);
});

test("the gradient of the cross-entropy is softmax less one at the target, times the row's own gradient", () => {
  const logits = tf.tensor2d([
    [0, Math.log(3)],
    [800, -800],
    [-5, 5],
  ]);
  const targets = tf.tensor1d([0, 1, 1], "int32");
  const rows = tf.tensor1d([2, 1, 0]);
  assertClose(crossEntropy(logits, targets).dataSync(), [Math.log(4), 1600, Math.log1p(Math.exp(-10))], 1e-6);
  const [gradient] = tf.grads((x) => tf.sum(tf.mul(crossEntropy(x as tf.Tensor2D, targets), rows)))([logits]);
  assertClose(gradient?.dataSync() ?? [], [2 * (0.25 - 1), 2 * 0.75, 1, -1, 0, 0], 1e-6);
});

test("the likeliest token is the first of the largest scores; NaN is an error", () => {
  assert.equal(likeliest([-3, -1, -2]), 1);
  assert.equal(likeliest([2, 5, 5, 1]), 1);
  assert.equal(likeliest([-Infinity, -Infinity]), 0);
  assert.throws(() => likeliest([0, 1, Number.NaN]), /the score of token 2 is not a number/);
});

test("a prediction's likeliest token and its probability, whether it came true or not; of equal scores the first token", () => {
  const thirds = [0, Math.log(2), -200, -200]; // 1/3, 2/3
  const logits = predicting([thirds, [5, 5, 5, 5], certainOf([2])[0] ?? [], uniform(4)[0] ?? []]);
  const row = tf.tensor2d([[0, 0, 3, 2]], undefined, "int32"); // to be predicted: 0, 3, 2
  const { losses, likeliest, confidence } = nextTokenScores(logits, row, tf.ones([1, 4]));
  assertClose(losses.dataSync(), [Math.log(3), Math.log(4), 0], 1e-6);
  assert.deepEqual([...likeliest.dataSync()], [1, 0, 2]);
  assertClose(confidence.dataSync(), [2 / 3, 1 / 4, 1], 1e-6);
});

test("scored in chunks of any size, predictions come to the same", () => {
  const rows = 7;
  const hidden = tf.tensor2d(
    Array.from({ length: rows * 3 }, (_, index) => Math.sin(index)),
    [rows, 3],
  );
  const outputMatrix = tf.tensor2d(
    Array.from({ length: 15 }, (_, index) => Math.cos(3 * index)),
    [5, 3],
  );
  const targets = tf.tensor1d([0, 1, 2, 3, 4, 0, 1], "int32");
  const weights = tf.tensor1d([1, 1, 1, 0, 1, 1, 1]);
  const whole = chunkedScores({ hidden, outputMatrix }, targets, weights);
  for (const chunkRows of [1, 3, 7]) {
    const found = chunkedScores({ hidden, outputMatrix }, targets, weights, chunkRows);
    for (const name of ["losses", "likeliest", "confidence"] as const) {
      assertClose(found[name].dataSync(), whole[name].dataSync(), 1e-6, `${name}, ${chunkRows} rows`);
    }
  }
});
