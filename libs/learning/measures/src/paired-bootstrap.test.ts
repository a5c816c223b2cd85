import assert from "node:assert/strict";
import { test } from "node:test";
import { assertClose } from "@pretrain/golden";
import { bootstrapInterval, type PairedLoss, pairedBootstrap } from "./index.ts";

const soon = () => Promise.resolve();

/** Rows that differ much from each other, and a candidate that is better by `gain` nats a token, give or take `noise`. */
function pairs(count: number, gain: number, noise: number): PairedLoss[] {
  return Array.from({ length: count }, (_, row) => {
    const tokens = 5 + (row % 11);
    const hardness = 3 + 2 * Math.sin(row * 12.9898);
    const own = noise * Math.sin(row * 78.233);
    return { baselineNats: tokens * hardness, candidateNats: tokens * (hardness - gain + own), tokens };
  });
}

test("the interval holds the difference, and its width is that of the standard error of the differences", async () => {
  const rows = pairs(200, 0.1, 0.3);
  const interval = (await pairedBootstrap(rows, 42, soon)) ?? assert.fail();
  const tokens = rows.reduce((sum, row) => sum + row.tokens, 0);
  const nats = rows.map(({ baselineNats, candidateNats }) => candidateNats - baselineNats);
  const difference = nats.reduce((sum, each) => sum + each, 0) / tokens;
  // Of a ratio of sums: √Σ (nats - difference tokens)² / Σ tokens.
  const squares = rows.map((row, index) => ((nats[index] ?? 0) - difference * row.tokens) ** 2);
  const standardError = Math.sqrt(squares.reduce((sum, square) => sum + square, 0)) / tokens;
  assertClose(interval.high - interval.low, 2 * 1.96 * standardError, 0.3 * standardError);
  assertClose((interval.high + interval.low) / 2, difference, 0.3 * standardError);
  assert.equal(interval.resamples, 1000);
});

test("rows are drawn in pairs: a gain of 0.05 in each row shows, though the rows themselves differ a hundred times as much", async () => {
  const rows = pairs(60, 0.05, 0);
  const paired = (await pairedBootstrap(rows, 1, soon)) ?? assert.fail();
  assertClose([paired.low, paired.high], [-0.05, -0.05], 1e-12);
  const alone = (nats: "baselineNats" | "candidateNats") =>
    bootstrapInterval(
      rows.map((row) => ({ nats: row[nats], tokens: row.tokens })),
      1,
    ) ?? assert.fail();
  assert.ok(alone("candidateNats").high > alone("baselineNats").low, "side by side the two intervals overlap");
});

test("a long row counts by its tokens: two that pull apart by 1 nat each, of 9 tokens and of 1", async () => {
  const rows = [
    { baselineNats: 9, candidateNats: 0, tokens: 9 },
    { baselineNats: 0, candidateNats: 1, tokens: 1 },
  ];
  // Of 1000 resamples about 250 draw the long row twice, 250 the short one twice, and 500 each once: (-9 + 1) / 10.
  const { low, high } = (await pairedBootstrap(rows, 3, soon)) ?? assert.fail();
  assert.deepEqual([low, high], [-1, 1]);
});

test("the same pairs and seed give the same interval, another seed another one; rows without a token change nothing", async () => {
  const rows = pairs(50, 0.1, 0.5);
  const first = await pairedBootstrap(rows, 1, soon);
  assert.deepEqual(await pairedBootstrap(rows, 1, soon), first);
  assert.notDeepEqual(await pairedBootstrap(rows, 2, soon), first);
  const withEmpty = rows.flatMap((row) => [row, { baselineNats: 0, candidateNats: 0, tokens: 0 }]);
  assert.deepEqual(await pairedBootstrap(withEmpty, 1, soon), first);
  assert.equal(await pairedBootstrap([{ baselineNats: 0, candidateNats: 0, tokens: 0 }], 1, soon), undefined);
});

test("others get their turn after each resample", async () => {
  let turns = 0;
  await pairedBootstrap(pairs(3, 0, 1), 1, async () => void (turns += 1));
  assert.equal(turns, 1000);
});
