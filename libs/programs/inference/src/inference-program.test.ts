/** Traced scoring and decoding against the eager ones, over random small models, by tfjs's kernels and by fused ones. */
import "@pretrain/tensorflow-native";
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertClose } from "@pretrain/golden";
import { initialWeights, logits, type ModelShape, parameterShapes, predictions, type Weights } from "@pretrain/model";
import { nextTokenLosses } from "@pretrain/scoring";
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { InferenceProgram } from "./index.ts";

const sizes = fc.record({
  heads: fc.constantFrom([1, 1], [4, 2], [6, 3], [4, 4]),
  headSize: fc.constantFrom(8, 16),
  layers: fc.constantFrom(1, 2),
  hiddenDim: fc.constantFrom(24, 40),
  maxSequenceLength: fc.constantFrom(70, 150),
  seed: fc.integer({ min: 1, max: 1e6 }),
});

const models = sizes.map(({ heads: [heads = 1, keyValueHeads = 1], headSize, seed, ...sizesOfModel }) => {
  const shape: ModelShape = {
    ...sizesOfModel,
    heads,
    keyValueHeads,
    dim: heads * headSize,
    vocabularySize: 50,
    normEps: 1e-5,
    ropeTheta: 1e4,
  };
  return { shape, weights: initialWeights(shape, seed) };
});

const lengths = fc.array(fc.constantFrom(0, 1, 2, 3, 31, 32, 33, 64, 65, 70), { minLength: 1, maxLength: 9 });
const prompts = fc.constantFrom(1, 2, 7, 8, 9, 15, 16, 17, 63, 64, 65);

for (const kernels of ["plain", "fused"] as const) {
  test(`rows scored together by ${kernels} kernels cost what each costs alone, eagerly, in the order asked for`, () => {
    fc.assert(
      fc.property(models, lengths, fc.constantFrom(1, 3, 64), ({ shape, weights }, rowLengths, maxRows) => {
        using program = new InferenceProgram({ shape, weights, kernels });
        const rows = rowLengths.map((length, row) => tokensOf(length, row));
        const found = program.scores(rows, maxRows);
        assert.equal(found.length, rows.length);
        for (const [index, row] of rows.entries()) {
          const { losses = [], confidence = [], likeliest = [] } = found[index] ?? {};
          const expected = row.length < 2 ? [] : eagerLosses(onDevice(shape, weights), row, shape);
          assertClose(losses, expected, { relative: 2e-6 }, `row ${index} of ${row.length} tokens`);
          const probabilities = row.length < 2 ? [] : eagerProbabilities(onDevice(shape, weights), row, shape);
          const highest = probabilities.map((of) => Math.max(...of));
          assertClose(confidence, highest, { relative: 5e-6 }, `confidence in row ${index}`);
          const named = Array.from(likeliest, (token, position) => probabilities[position]?.[token] ?? 0);
          assertClose(named, highest, { relative: 5e-6 }, `likeliest tokens of row ${index}`);
        }
        assert.deepEqual(
          program.losses(rows, maxRows),
          found.map(({ losses }) => losses),
        );
      }),
      { numRuns: 6, seed: 1 },
    );
  });

  test(`a row longer than the context is scored in windows by ${kernels} kernels: each token from the last ones before it`, () => {
    const { shape, weights } = fc.sample(models, { numRuns: 1, seed: 5 })[0] ?? assert.fail();
    using program = new InferenceProgram({ shape: { ...shape, maxSequenceLength: 40 }, weights, kernels });
    const rows = [tokensOf(100, 3), tokensOf(41, 4), tokensOf(9, 5)];
    for (const window of [
      { context: 40, stride: 40 },
      { context: 40, stride: 7 },
      { context: 8, stride: 3 },
    ]) {
      const { context, stride } = window;
      for (const [index, { losses, likeliest, confidence }] of program.scores(rows, 4, window).entries()) {
        const row = rows[index] ?? [];
        assert.deepEqual([losses, likeliest, confidence].map(({ length }) => length), Array(3).fill(row.length - 1)); // biome-ignore format: one line
        for (let target = 1; target < row.length; target += 1) {
          const end = target <= context ? Math.min(context + 1, row.length) : lastOfWindow(target, row.length, window);
          const text = row.slice(Math.max(end - context - 1, 0), target); // a window of 40 reads 40 tokens and scores one behind
          const [probable = []] = eagerProbabilities(onDevice(shape, weights), [...text, 0], shape).slice(-1);
          const where = `context ${context}, stride ${stride}, row ${index}, target ${target}`;
          assertClose(losses[target - 1] ?? 0, -Math.log(probable[row[target] ?? 0] ?? 0), { relative: 5e-6 }, where);
          assertClose(probable[likeliest[target - 1] ?? 0] ?? 0, Math.max(...probable), { relative: 5e-6 }, where);
          assertClose(confidence[target - 1] ?? 0, Math.max(...probable), { relative: 5e-6 }, where);
        }
      }
    }
    assert.throws(() => program.scores(rows, 4, { context: 8, stride: 9 }), /a stride of 9 in a context of 8/);
    assert.throws(() => program.scores(rows, 4, { context: 41, stride: 1 }), /the model has 40 positions/);
  });

  test(`a text read piece by piece by ${kernels} kernels has the scores of the whole text, eagerly`, () => {
    fc.assert(
      fc.property(models, prompts, ({ shape, weights }, promptLength) => {
        using program = new InferenceProgram({ shape, weights, kernels });
        const text = tokensOf(Math.min(promptLength + 4, shape.maxSequenceLength), 5);
        using decoder = program.decoder(text.length);
        using other = program.decoder(3); // at the same time, with a cache of its own
        const all = eagerScores(onDevice(shape, weights), text, shape);
        for (const read of [promptLength, promptLength + 1, text.length]) {
          const scores = decoder.scores(text.slice(0, read));
          assertClose(scores, all[read - 1] ?? [], { relative: 2e-6 }, `after ${read} tokens`);
        }
        assertClose(other.scores(text.slice(0, 1)), all[0] ?? [], { relative: 2e-6 }, "another text");
      }),
      { numRuns: 8, seed: 1 },
    );
  });
}

test("a step of decoding multiplies every weight once, as it lies, and one of 26 million parameters has under 150 operations", () => {
  const shape: ModelShape = {
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
  using program = new InferenceProgram({ shape, weights: zeroWeights(shape) });
  using decoder = program.decoder(20);
  assert.equal(decoder.scores([1]).length, 6400);
  const lines = String(program)
    .split("\n")
    .filter((line) => line.includes(" = ") && !/ = (feed|variable) /.test(line));
  if (!lines.some((line) => line.includes("ThinProduct"))) return; // no library for this processor: the plain graph
  assert.ok(lines.length < 150, `${lines.length} operations`);
  assert.equal(lines.filter((line) => line.includes("PretrainThinProduct")).length, 4 * 8 + 1);
  assert.equal(lines.filter((line) => line.includes("PretrainCachedAttention")).length, 8);
  assert.deepEqual(
    lines.filter((line) => /(ConcatV2|MatMul|Cast|Tile)\(/.test(line)),
    [],
  );
});

test("a sibling has numbers of its own and the functions of the first: nothing is traced for it", () => {
  const { shape, weights } = fc.sample(models, { numRuns: 1, seed: 4 })[0] ?? assert.fail();
  const rows = [tokensOf(30, 1), tokensOf(12, 2)];
  using program = new InferenceProgram({ shape, weights });
  const own = program.losses(rows);
  using decoder = program.decoder(20);
  decoder.scores(rows[1] ?? []);
  const traced = String(program);
  using sibling = program.withWeights(zeroWeights(shape));
  assert.equal(String(sibling), traced, "before it has computed anything");
  for (const losses of sibling.losses(rows)) assertClose(losses, Array(losses.length).fill(Math.log(50)), 1e-6);
  using empty = sibling.decoder(20);
  assert.deepEqual(new Set(empty.scores(rows[1] ?? [])), new Set([0]));
  assert.equal(String(sibling), traced);
  assert.deepEqual(program.losses(rows), own);
});

test("the shapes in which rows were scored are told, each once; a sibling has scored none", () => {
  const { shape, weights } = fc.sample(models, { numRuns: 1, seed: 4 })[0] ?? assert.fail();
  using program = new InferenceProgram({ shape: { ...shape, maxSequenceLength: 70 }, weights });
  assert.deepEqual(program.scoredShapes(), []);
  for (const lengths of [
    [70, 65, 5],
    [3, 4, 9],
    [64, 70],
  ])
    program.losses(lengths.map((each) => tokensOf(each, 1)));
  const shapes = [
    { rows: 4, width: 70 },
    { rows: 4, width: 32 },
    { rows: 2, width: 70 },
  ];
  assert.deepEqual(program.scoredShapes(), shapes);
  using sibling = program.withWeights(weights);
  assert.deepEqual(sibling.scoredShapes(), []);
});

test("a micro-step of training has the loss of the same rows: they are padded there, and counted alike", () => {
  fc.assert(
    fc.property(models, lengths, ({ shape, weights }, rowLengths) => {
      using program = new InferenceProgram({ shape, weights });
      const rows = rowLengths.map((length, row) => tokensOf(length, row));
      const sum = program.losses(rows).reduce((total, losses) => losses.reduce((nats, loss) => nats + loss, total), 0);
      assertClose([program.trainingLoss(rows)], [sum], { relative: 2e-6 });
    }),
    { numRuns: 6, seed: 2 },
  );
});

test("a text that was read, or is longer than its cache, is refused; so are weights that lack one", () => {
  const { shape, weights } = fc.sample(models, { numRuns: 1, seed: 3 })[0] ?? assert.fail();
  using program = new InferenceProgram({ shape, weights });
  using decoder = program.decoder(10);
  decoder.scores([1, 2]);
  assert.throws(() => decoder.scores([1, 2]), /2 tokens, of which 2 were read before/);
  assert.throws(() => decoder.scores(Array(shape.maxSequenceLength + 1).fill(1)), /there are places for/);
  const long = Array(shape.maxSequenceLength + 1).fill(1);
  assert.equal(program.losses([long])[0]?.length, shape.maxSequenceLength); // the last one is predicted, and not read
  assert.throws(() => program.losses([[...long, 1]]), /the model has \d+ positions/);
  assert.throws(() => program.trainingLoss([long]), /the model has \d+ positions/);
  weights.delete("norm.weight");
  assert.throws(() => new InferenceProgram({ shape, weights }), /the weights lack norm.weight/);
});

function tokensOf(length: number, seed: number): number[] {
  return Array.from({ length }, (_, index) => (index * 7 + seed * 13 + ((index * index) % 11)) % 50);
}

function zeroWeights(shape: ModelShape): Map<string, Float32Array> {
  const sizesOf = [...parameterShapes(shape)];
  return new Map(sizesOf.map(([name, axes]) => [name, new Float32Array(axes.reduce((a, b) => a * b, 1))]));
}

function onDevice(shape: ModelShape, weights: ReadonlyMap<string, Float32Array>): Weights {
  const shapes = parameterShapes(shape);
  return Object.fromEntries(
    [...weights].map(([name, values]) => [name, tf.tensor(values, [...(shapes.get(name) ?? [])])]),
  );
}

function eagerLosses(weights: Weights, row: readonly number[], shape: ModelShape): Float32Array {
  const tokens = tf.tensor2d([...row], [1, row.length], "int32");
  return nextTokenLosses(predictions(weights, tokens, shape), tokens, tf.ones([1, row.length])).dataSync<"float32">();
}

/** The first target behind those that are scored together with `target`. */
function lastOfWindow(
  target: number,
  length: number,
  { context, stride }: { context: number; stride: number },
): number {
  const window = Math.ceil((target - context) / stride);
  return Math.min(context + 1 + window * stride, length);
}

/** Of each token but the first, by 64-bit softmax: [targets][vocabulary] */
function eagerProbabilities(weights: Weights, text: readonly number[], shape: ModelShape): number[][] {
  return eagerScores(weights, text, shape)
    .slice(0, -1)
    .map((scores) => {
      const highest = Math.max(...scores);
      const exponentials = scores.map((score) => Math.exp(score - highest));
      const sum = exponentials.reduce((total, each) => total + each, 0);
      return exponentials.map((each) => each / sum);
    });
}

/** [positions][vocabulary] */
function eagerScores(weights: Weights, text: readonly number[], shape: ModelShape): number[][] {
  const [scores = []] = logits(weights, tf.tensor2d([...text], [1, text.length], "int32"), shape).arraySync();
  return scores;
}
