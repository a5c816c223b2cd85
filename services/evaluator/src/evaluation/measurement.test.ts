import assert from "node:assert/strict";
import { test } from "node:test";
import { create, toJsonString } from "@bufbuild/protobuf";
import { FailedPrecondition } from "@pretrain/errors";
import { assertClose } from "@pretrain/golden";
import { EvaluationSchema, EvaluationSettingsSchema, OverlapSchema } from "@pretrain/proto";
import { rowLoss } from "../test-support/row-losses.ts";
import type { ScoredSample } from "../worker/protocol.ts";
import { measurement, refuseLargeResult } from "./measurement.ts";

const settings = create(EvaluationSettingsSchema, { samples: 2, inputLength: 3, predictLength: 4, batchRows: 8 });
const row = (rowId: number, nats: number, tokens: number, bytes = tokens, textNats = nats) =>
  rowLoss({ rowId, nats, tokens, bytes, textNats });
const sample = (rowId: number, nats: number, generatedTokens = 4): ScoredSample => ({
  rowId,
  inputText: "in",
  trueText: "true",
  predictedText: "predicted",
  nats,
  tokens: 4,
  generatedTokens,
  generated: Array.from({ length: generatedTokens }, (_, index) => index),
  stopReason: generatedTokens < 4 ? "eos" : "max_new_tokens",
});
// 1 token that costs 6 nats, 9 tokens that cost 9: the mean of all ten is 1.5, the mean of the two means 3.5.
const rows = [row(0, 6, 1, 5), row(1, 9, 9, 15)];
const of = (parts: Partial<Parameters<typeof measurement>[0]>) =>
  measurement({ settings, rows, samples: [], skippedRows: 0, ...parts });

test("the loss is the sum over all tokens by their count, not a mean of the rows' means", () => {
  const { validationLoss } = of({});
  assert.deepEqual([validationLoss?.nats, validationLoss?.tokens, validationLoss?.natsPerToken], [15, 10n, 1.5]);
});

test("perplexity is exp of that mean", () => assert.equal(of({}).perplexity, Math.exp(1.5)));

test("bits per byte divide what the text cost, markers' losses left out, by its bytes", () => {
  assert.equal(of({ rows: [row(0, 6, 1, 5, 4), row(1, 9, 9, 15, 7)] }).bitsPerByte, 11 / (Math.LN2 * 20));
  assert.equal(of({}).validationBytes, 20n);
});

test("rows of markers alone have a loss, and no bits per byte", () => {
  const { validationLoss, bitsPerByte } = of({ rows: [row(0, 6, 1, 0)] });
  assert.deepEqual([validationLoss?.natsPerToken, bitsPerByte], [6, undefined]);
});

test("a row without targets counts as a row and nothing else", () => {
  const { validationRows, validationLoss } = of({ rows: [...rows, row(2, 0, 0)] });
  assert.deepEqual([validationRows, validationLoss?.natsPerToken], [3n, 1.5]);
});

test("the interval holds the mean and is the same each time", () => {
  const { validationInterval: interval } = of({});
  assert.deepEqual(of({}).validationInterval, interval);
  assert.ok(interval !== undefined && interval.low < 1.5 && 1.5 < interval.high, JSON.stringify(interval));
  assert.deepEqual([interval.low, interval.high, interval.resamples, interval.seed], [1, 6, 1000, 42]);
});

test("the samples' loss is theirs together, and each has its own", () => {
  const { inferenceLoss, samples } = of({ samples: [sample(1, 8), sample(4, 4)] });
  assert.deepEqual([inferenceLoss?.nats, inferenceLoss?.tokens, inferenceLoss?.natsPerToken], [12, 8n, 1.5]);
  assert.deepEqual(
    samples.map(({ rowId, loss }) => [rowId, loss?.natsPerToken]),
    [
      [1n, 2],
      [4n, 1],
    ],
  );
});

test("generation counts what was asked for, what came, and what ended by eos", () => {
  const { generation } = of({ samples: [sample(0, 1), sample(1, 1, 2)] });
  assert.deepEqual(
    [generation?.requestedTokens, generation?.generatedTokens, generation?.eosFound, generation?.samples],
    [8n, 6n, 1n, 2n],
  );
});

test("without a row that is long enough there are the validation numbers, and an inference loss of no tokens", () => {
  const { inferenceLoss, skippedRows, samples, validationLoss } = of({ skippedRows: 2 });
  assert.deepEqual([inferenceLoss?.tokens, inferenceLoss?.natsPerToken], [0n, undefined]);
  assert.deepEqual([skippedRows, samples.length, validationLoss?.natsPerToken], [2n, 0, 1.5]);
});

test("the context is what stands before the last target of the longest row, or the window's", () => {
  assert.equal(of({}).context, 9); // a row of ten tokens: the last one is predicted from nine
  assert.equal(of({ rows: rows.map((each) => ({ ...each, context: Math.min(4, each.tokens) })) }).context, 4);
});

test("bits per character divide the same sum by the characters, and both sums are told", () => {
  const chinese = rowLoss({ nats: 9 * Math.LN2, tokens: 3, bytes: 6, characters: 2, textNats: 6 * Math.LN2 });
  const numbers = of({ rows: [chinese] });
  assertClose([numbers.bitsPerByte ?? 0, numbers.bitsPerCharacter ?? 0], [1, 3], 1e-12);
  assert.deepEqual([numbers.validationCharacters, numbers.textNats], [2n, 6 * Math.LN2]);
});

// Positions 1 to 20; every fourth token was foreseen with 0.8, the others not, with 0.5.
const twenty = rowLoss({
  nats: 40,
  tokens: 20,
  targets: {
    tokens: Int32Array.from({ length: 20 }, (_, index) => index % 4),
    top1: Uint8Array.from({ length: 20 }, (_, index) => Number(index % 4 === 0)),
    confidence: Float32Array.from({ length: 20 }, (_, index) => (index % 4 === 0 ? 0.8 : 0.5)),
  },
});

test("the share that was foreseen, and how far confidence is from it: 5 of 20, in two bins off by 1 and by 7.5", () => {
  const { top1Accuracy, calibration } = of({ rows: [twenty] });
  assert.equal(top1Accuracy, 0.25);
  assertClose(calibration?.expectedError ?? 0, (5 - 5 * 0.8 + 15 * 0.5) / 20, 1e-6);
  const filled = calibration?.bins.filter(({ tokens }) => tokens > 0n) ?? [];
  assert.deepEqual(
    filled.map(({ tokens, correct }) => [tokens, correct]),
    [
      [15n, 0n],
      [5n, 5n],
    ],
  );
});

test("by position and by frequency in training the losses sum to the whole, bucket by bucket", () => {
  const { lossByPosition, lossByFrequency } = of({
    rows: [twenty, rowLoss({ nats: 3, tokens: 1, targets: { tokens: Int32Array.of(3) } })],
    analysis: { trainTokenCounts: [0n, 7n, 9n, 12_345n] },
  });
  const shown = (buckets: typeof lossByPosition) =>
    buckets.map(({ from, to, loss }) => [Number(from), Number(to), loss?.nats, Number(loss?.tokens)]);
  assert.deepEqual(shown(lossByPosition), [[1, 15, 33, 16], [16, 31, 10, 5]]); // biome-ignore format: a table
  assert.deepEqual(shown(lossByFrequency), [[0, 0, 10, 5], [1, 9, 20, 10], [10_000, 99_999, 13, 6]]); // biome-ignore format: a table
});

test("the overlap of the splits stands beside the numbers; of a text nobody analyzed there is none, and no loss by frequency", () => {
  const overlap = create(OverlapSchema, { validationRows: 2n, identicalRows: 1n });
  assert.equal(of({ analysis: { trainTokenCounts: Array(8).fill(1n), overlap } }).overlap, overlap);
  const { lossByFrequency, ...numbers } = of({});
  assert.deepEqual([lossByFrequency, "overlap" in numbers], [[], false]);
});

test("the inference loss has an interval over samples; without a sample it has none", () => {
  const { inferenceInterval: interval } = of({ samples: [sample(1, 8), sample(4, 4)] });
  assert.deepEqual([interval?.low, interval?.high, interval?.resamples], [1, 2, 1000]);
  assert.equal(of({}).inferenceInterval, undefined);
});

test("generation tells runs of one to four tokens, and how like the true texts its own are", () => {
  const made = {
    ...sample(0, 1),
    generated: [5, 6, 5, 6],
    predictedText: "to be or to be",
    trueText: "to be or not to be",
  };
  const { generation } = of({ samples: [made] });
  assert.deepEqual(
    generation?.runs.map(({ runTokens, runs, distinct, repeated }) =>
      [runTokens, runs, distinct, repeated].map(Number),
    ),
    [[1, 4, 2, 2], [2, 3, 2, 1], [3, 2, 2, 0], [4, 1, 1, 0]], // biome-ignore format: a table
  );
  // Words 5 of 5, 3 of 4 pairs, 1 of 3 runs of three, none of 2, which smoothing counts as a half; one word short of six.
  assertClose(generation?.bleu ?? 0, 100 * Math.exp(-1 / 5) * (1 * (3 / 4) * (1 / 3) * (1 / 4)) ** (1 / 4), 1e-9);
  assertClose(generation?.chrf ?? 0, 48.08378351399516, 1e-9); // sacrebleu 2.6.0
  assert.equal(generation?.bleuWords, "13a");
  assert.equal(of({ samples: [{ ...made, trueText: "天下" }] }).generation?.bleuWords, "zh");
  const { bleu, chrf, bleuWords } = of({ samples: [{ ...made, trueText: "" }] }).generation ?? {};
  assert.deepEqual([bleu, chrf, bleuWords], [undefined, undefined, ""]);
});

test("a record of all numbers without samples is small, whatever the lengths of rows and the counts of tokens", () => {
  const long = rowLoss({
    nats: 65_535,
    tokens: 65_535,
    targets: {
      tokens: Int32Array.from({ length: 65_535 }, (_, index) => index % 19),
      confidence: Float32Array.from({ length: 65_535 }, (_, index) => (index % 997) / 997),
    },
  });
  const numbers = of({
    rows: [long],
    analysis: { trainTokenCounts: Array.from({ length: 19 }, (_, digits) => BigInt(10 ** digits)) },
  });
  assert.ok(numbers.lossByPosition.length === 13 && numbers.lossByFrequency.length === 19);
  const bytes = toJsonString(EvaluationSchema, create(EvaluationSchema, numbers)).length;
  assert.ok(bytes < 10_000, `${bytes} bytes`);
  refuseLargeResult(numbers);
});

for (const [claim, parts, message] of [
  ["no row", { rows: [] }, /no target in its 0 rows/],
  ["rows of one token each", { rows: [row(0, 0, 0)] }, /no target in its 1 rows/],
  ["a loss that is NaN", { rows: [row(0, Number.NaN, 3)] }, /NaN/],
  ["a loss that is infinite", { rows: [row(0, Number.POSITIVE_INFINITY, 3)] }, /Infinity/],
  ["a perplexity beyond all numbers", { rows: [row(0, 800, 1)] }, /perplexity is Infinity/],
  ["a sample whose loss is NaN", { samples: [sample(0, Number.NaN)] }, /is NaN/],
] as const) {
  test(`there is no measurement of ${claim}`, () => {
    assert.throws(
      () => of(parts),
      (error) => error instanceof FailedPrecondition && message.test(error.message),
    );
  });
}
