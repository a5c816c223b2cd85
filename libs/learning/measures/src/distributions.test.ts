/** Numbers that are more than one: bins of confidence, losses by position and by frequency, runs of tokens, characters. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertClose } from "@pretrain/golden";
import fc from "fast-check";
import {
  bitsPerCharacter,
  calibrationBins,
  charactersBegun,
  countRange,
  expectedCalibrationError,
  LossBuckets,
  positionRange,
  runCounts,
  top1Accuracy,
} from "./index.ts";

test("four predictions of 0.9, of which three come true, and one of 0.1 that does not: off by 0.6 and 0.1 of five", () => {
  const bins = calibrationBins([
    { confidence: [0.9, 0.9], top1: [1, 0] },
    { confidence: [0.9, 0.1, 0.9], top1: [1, 0, 1] },
  ]);
  assert.equal(bins.length, 15);
  assert.deepEqual(
    bins.filter(({ tokens }) => tokens > 0).map(({ tokens, correct }) => [tokens, correct]),
    [
      [1, 0],
      [4, 3],
    ],
  );
  assertClose(expectedCalibrationError(bins) ?? 0, (Math.abs(3 - 3.6) + 0.1) / 5, 1e-12);
  assert.equal(top1Accuracy(bins), 3 / 5);
});

test("a confidence of a bin's upper end lies in it, one of 0 in the first, one that rounding put above 1 in the last", () => {
  const placeOf = (confidence: number) =>
    calibrationBins([{ confidence: [confidence], top1: [1] }]).findIndex(({ tokens }) => tokens === 1);
  assert.deepEqual([0, 1 / 15, 1.01 / 15, 14 / 15, 1, 1 + 1e-7].map(placeOf), [0, 0, 1, 13, 14, 14]);
  const [first, last] = [calibrationBins([])[0], calibrationBins([]).at(-1)];
  assert.deepEqual([first?.low, first?.high, last?.low, last?.high], [0, 1 / 15, 14 / 15, 1]);
  assert.throws(() => placeOf(Number.NaN), /a confidence of NaN/);
});

test("errors of both signs in one bin cancel, as the definition has it; without predictions there is no number", () => {
  const even = calibrationBins([{ confidence: [0.5, 0.5], top1: [1, 0] }]);
  assert.equal(expectedCalibrationError(even), 0);
  assert.deepEqual([expectedCalibrationError(calibrationBins([])), top1Accuracy([])], [undefined, undefined]);
});

test("positions go by 1 to 15, 16 to 31, 32 to 63, …; counts by 0, 1 to 9, 10 to 99, …", () => {
  const positions = [1, 15, 16, 31, 32, 63, 64, 65_535].map(positionRange).map(({ from, to }) => [from, to]);
  assert.deepEqual(positions.slice(0, 6), [[1, 15], [1, 15], [16, 31], [16, 31], [32, 63], [32, 63]]); // biome-ignore format: one line
  assert.deepEqual(positions.slice(6), [[64, 127], [32_768, 65_535]]); // biome-ignore format: one line
  const counts = [0, 1, 9, 10, 99, 100, 1000, 999_999].map(countRange).map(({ from, to }) => [from, to]);
  assert.deepEqual(counts.slice(0, 5), [[0, 0], [1, 9], [1, 9], [10, 99], [10, 99]]); // biome-ignore format: one line
  assert.deepEqual(counts.slice(5), [[100, 999], [1000, 9999], [100_000, 999_999]]); // biome-ignore format: one line
  const within = (rangeOf: typeof positionRange, value: number) => {
    const { from, to } = rangeOf(value);
    assert.ok(from <= value && value <= to);
    assert.deepEqual([rangeOf(from), rangeOf(to)], [rangeOf(value), rangeOf(value)]);
  };
  fc.assert(fc.property(fc.integer({ min: 1, max: 65_535 }), (value) => within(positionRange, value)));
  fc.assert(fc.property(fc.integer({ min: 0, max: 1e12 }), (value) => within(countRange, value)));
});

test("buckets hold sums and counts, from the least on; a range that nothing fell into has none", () => {
  const buckets = new LossBuckets(positionRange);
  for (const [position, nats] of [[40, 1], [2, 3], [15, 0.5], [41, 0.25]] as const) buckets.add(position, nats); // biome-ignore format: one line
  assert.deepEqual(buckets.buckets(), [
    { from: 1, to: 15, nats: 3.5, tokens: 2 },
    { from: 32, to: 63, nats: 1.25, tokens: 2 },
  ]);
});

test("runs: how many there are, how many differ over all texts, and how many their own text had before", () => {
  const texts = [[1, 2, 1, 2, 1], [2, 1], []];
  assert.deepEqual(runCounts(texts, 1), { runTokens: 1, runs: 7, distinct: 2, repeated: 3 });
  assert.deepEqual(runCounts(texts, 2), { runTokens: 2, runs: 5, distinct: 2, repeated: 2 }); // 12 21 12 21, 21
  assert.deepEqual(runCounts(texts, 4), { runTokens: 4, runs: 2, distinct: 2, repeated: 0 });
  assert.deepEqual(runCounts([[1, 23], [12, 3]], 2).distinct, 2); // biome-ignore format: one line
});

test("a character whose bytes lie in two tokens counts once; 4 ln 2 nats over 2 characters are 2 bits for each", () => {
  const whale = new TextEncoder().encode("a🐋");
  const cuts = [whale.subarray(0, 3), whale.subarray(3)];
  assert.deepEqual([charactersBegun(whale), ...cuts.map(charactersBegun)], [2, 2, 0]);
  assertClose(bitsPerCharacter({ nats: 4 * Math.LN2, characters: 2 }) ?? 0, 2, 1e-12);
  assert.equal(bitsPerCharacter({ nats: 0, characters: 0 }), undefined);
});
