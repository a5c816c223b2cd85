import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { FailedPrecondition } from "@pretrain/errors";
import { EvaluationSettingsSchema } from "@pretrain/proto";
import type { RowLoss, ScoredSample } from "../worker/protocol.ts";
import { measurement } from "./measurement.ts";

const settings = create(EvaluationSettingsSchema, { samples: 2, inputLength: 3, predictLength: 4, batchRows: 8 });
const row = (rowId: number, nats: number, tokens: number, bytes = tokens, textNats = nats): RowLoss => ({
  rowId,
  nats,
  tokens,
  textNats,
  bytes,
});
const sample = (rowId: number, nats: number, generatedTokens = 4): ScoredSample => ({
  rowId,
  inputText: "in",
  trueText: "true",
  predictedText: "predicted",
  nats,
  tokens: 4,
  generatedTokens,
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

test("the context is what stands before the last target of the longest row", () => {
  assert.equal(of({}).context, 9); // a row of ten tokens: the last one is predicted from nine
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
