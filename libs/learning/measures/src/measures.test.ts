import assert from "node:assert/strict";
import { test } from "node:test";
import { assertClose } from "@pretrain/golden";
import fc from "fast-check";
import {
  bitsPerByte,
  bootstrapInterval,
  generationStatistics,
  type LossTotal,
  mean,
  meanNatsPerToken,
  percentOf,
  perplexity,
  reductionPercent,
  rollingWindows,
  textLoss,
  totalLoss,
} from "./index.ts";

test("10 nats over 1 token and 2 over 3 are 3 nats per token, not the mean of their means", () => {
  const total = totalLoss([
    { nats: 10, tokens: 1 },
    { nats: 2, tokens: 3 },
  ]);
  assert.equal(meanNatsPerToken(total), 3);
  assertClose(perplexity(total) ?? Number.NaN, Math.exp(3), { relative: 1e-15 });
});

test("what has no token, no byte, no text or no base has no mean: undefined, not 0 and not NaN", () => {
  const nothing = totalLoss([]);
  assert.deepEqual(nothing, { nats: 0, tokens: 0 });
  assert.deepEqual(
    [meanNatsPerToken(nothing), perplexity(nothing), bitsPerByte({ nats: 0, bytes: 0 })],
    [undefined, undefined, undefined],
  );
  assert.deepEqual([mean([]), percentOf(1, 0), reductionPercent(0, 1)], [undefined, undefined, undefined]);
  assert.deepEqual(
    [generationStatistics([], 5), bootstrapInterval([{ nats: 0, tokens: 0 }], 1)],
    [undefined, undefined],
  );
});

test("a text of 2 bytes that cost 4 ln 2 nats has 2 bits per byte, its marker left out", () => {
  const text = textLoss({ losses: [3 * Math.LN2, Math.LN2, 50], tokenBytes: [1, 1, 0] });
  assert.deepEqual([text.tokens, text.bytes], [2, 2]);
  assertClose(bitsPerByte(text) ?? Number.NaN, 2, 1e-15);
  assert.throws(() => textLoss({ losses: [1], tokenBytes: [1, 2] }), /1 losses for 2 tokens/);
});

test("a loss that doubles was reduced by -100 %, one that halves by 50 %", () => {
  assert.deepEqual([reductionPercent(2, 4), reductionPercent(4, 2)], [-100, 50]);
});

test("a loop that never ran has completed nothing, and no text that it did not make was ended by eos", () => {
  const broken = Array.from({ length: 4 }, () => ({ newTokens: 0, endedByEos: false }));
  assert.deepEqual(generationStatistics(broken, 100), { completionRate: 0, eosRate: 0, meanNewTokens: 0 });
});

test("windows: each token is scored once, from a full context where there is one, and never from itself", () => {
  const sizes = fc
    .tuple(fc.nat(200), fc.integer({ min: 1, max: 40 }))
    .chain(([tokens, context]) =>
      fc.tuple(fc.constant(tokens), fc.constant(context), fc.integer({ min: 1, max: context })),
    );
  fc.assert(
    fc.property(sizes, ([tokens, context, stride]) => {
      const windows = rollingWindows(tokens, context, stride);
      const scored = windows.flatMap(({ score: [begin, end] }) =>
        Array.from({ length: end - begin }, (_, i) => begin + i),
      );
      assert.deepEqual(
        scored,
        Array.from({ length: tokens }, (_, token) => token),
      );
      for (const [index, { input, score }] of windows.entries()) {
        assert.equal(input[1], score[1] - 1, "the last prediction is of the token behind the last one read");
        assert.ok(input[0] < score[0] && input[0] >= -1, "something is read before the first token scored");
        assert.equal(input[1] - input[0], Math.min(context, score[1]), "as much is read as fits");
        assert.ok(index === 0 || score[1] - score[0] <= stride);
      }
    }),
  );
  for (const stride of [0, -1, 5, Number.NaN]) assert.throws(() => rollingWindows(9, 4, stride), RangeError);
});

const noisyRows: LossTotal[] = Array.from({ length: 200 }, (_, row) => {
  const tokens = 5 + (row % 11);
  return { nats: tokens * (2 + Math.sin(row * 12.9898)), tokens };
});

test("a bootstrap interval holds the mean, and its width is that of the standard error", () => {
  const mean = meanNatsPerToken(totalLoss(noisyRows)) ?? Number.NaN;
  const interval = bootstrapInterval(noisyRows, 42);
  assert(interval !== undefined && interval.low < mean && mean < interval.high);
  // Of a ratio of sums: √Σ (nats - mean tokens)² / Σ tokens.
  const { tokens } = totalLoss(noisyRows);
  const residuals = noisyRows.map((row) => (row.nats - mean * row.tokens) ** 2);
  const standardError = Math.sqrt(residuals.reduce((sum, square) => sum + square, 0)) / tokens;
  assertClose(interval.high - interval.low, 2 * 1.96 * standardError, 0.3 * standardError);
  assertClose((interval.high + interval.low) / 2, mean, 0.3 * standardError);
});

test("the same rows and seed give the same interval, another seed another one close by", () => {
  const [first, again, other] = [1, 1, 2].map((seed) => bootstrapInterval(noisyRows, seed));
  assert.deepEqual(first, again);
  assert.notDeepEqual(first, other);
  assertClose(first?.low ?? Number.NaN, other?.low ?? Number.NaN, 0.03);
});

test("rows that agree have an interval of no width, and rows without a token change nothing", () => {
  const equal = [
    { nats: 6, tokens: 2 },
    { nats: 3, tokens: 1 },
  ];
  assert.deepEqual(bootstrapInterval(equal, 7), { low: 3, high: 3 });
  const withEmpty = noisyRows.flatMap((row) => [row, { nats: 0, tokens: 0 }]);
  assert.deepEqual(bootstrapInterval(withEmpty, 7), bootstrapInterval(noisyRows, 7));
});

test("an interval covers the true mean about 95 times in 100", () => {
  let covered = 0;
  const draws = 200;
  for (let draw = 0; draw < draws; draw += 1) {
    // Sums of six sines stand for independent noise around 2; rows of unequal lengths.
    const rows = Array.from({ length: 60 }, (_, row) => {
      const noise = [1, 2, 3, 4, 5, 6].reduce((sum, k) => sum + Math.sin(1e4 * Math.sin(draw * 60 + row + k / 7)), 0);
      return { nats: (2 + noise / 6) * (4 + (row % 5)), tokens: 4 + (row % 5) };
    });
    const interval = bootstrapInterval(rows, draw);
    if (interval !== undefined && interval.low <= 2 && 2 <= interval.high) covered += 1;
  }
  assertClose(covered / draws, 0.95, 0.05);
});
