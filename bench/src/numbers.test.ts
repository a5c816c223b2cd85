import assert from "node:assert/strict";
import { test } from "node:test";
import { alternate, unitsInRound } from "./alternate.ts";
import { limitOf } from "./machine-limit.ts";
import {
  forwardOperationsPerToken,
  scoringOperationsPerToken,
  trainingOperationsPerToken,
} from "./needed-operations.ts";
import { processor } from "./processor.ts";
import { busyTicks, ticksOfProcess } from "./processor-time.ts";
import { median, tokensPerSecond } from "./statistics.ts";
import { models, rowLengths } from "./workload.ts";

test("training the baseline on rows of 512 needs 167.5 million operations a token", () => {
  assert.equal(Math.round(trainingOperationsPerToken(models.baseline, 512) / 1e5) / 10, 167.5);
});

test("by hand: one layer of width 2, a row of 3", () => {
  const model = { ...models.small, vocab_size: 5, dim: 2, n_layers: 1, n_heads: 2, n_kv_heads: 1, hidden_dim: 3 };
  // wq 4, wk 2, wv 2, wo 4, w1 to w3 18, output 10: 40 weights, 80 operations; attention 4 · 2 · (1 + 2 + 3) / 3 = 16
  assert.equal(forwardOperationsPerToken(model, 3), 96);
  // a row of 1 needs 80 + 4 · 2 · 1 = 88 for its token, the row of 3 needs 3 · 96
  assert.equal(scoringOperationsPerToken(model, [1, 3]), (88 + 3 * 96) / 4);
});

test("a median is the middle one, and between two middle ones the mean", () => {
  assert.equal(median([9, 1, 4]), 4);
  assert.equal(median([9, 1, 4, 5]), 4.5);
  assert.throws(() => median([]), RangeError);
});

test("speed is tokens by seconds, round by round", () => {
  const rounds = [1, 2, 4].map((seconds) => ({ seconds, tokens: 8 }));
  assert.deepEqual(tokensPerSecond(rounds), { best: 8, median: 4 });
});

test("contenders take turns, and each one's rounds come back in their order", async () => {
  const turns: string[] = [];
  const results = await alternate(["A", "B"], 3, async (name) => turns.push(name));
  assert.equal(turns.join(""), "ABABAB");
  assert.deepEqual(results, [
    [1, 3, 5],
    [2, 4, 6],
  ]);
});

test("a round takes the fastest three seconds, and at least one unit", () => {
  assert.deepEqual([unitsInRound([5, 0.7]), unitsInRound([5, 4]), unitsInRound([0.001])], [5, 1, 200]);
});

test("the limit is the best product by its median: one lucky round does not count", () => {
  const rounds = (speeds: Record<string, number>[]) =>
    speeds.map((giga_per_second) => ({ seconds: 1, tokens: 0, giga_per_second }));
  const lucky = { name: "lucky", rounds: rounds([{ a: 900 }, { a: 10 }, { a: 20 }]) };
  const steady = {
    name: "steady",
    rounds: rounds([
      { a: 90, b: 100 },
      { a: 91, b: 101 },
      { a: 92, b: 102 },
    ]),
  };
  assert.deepEqual(limitOf([lucky, steady]), { gigaPerSecond: 101, at: "steady: b" });
  assert.equal(limitOf([]), undefined);
});

test("the validation file has rows of 64 lengths from a sixteenth to the whole, unsorted", () => {
  const lengths = rowLengths(512);
  assert.deepEqual([lengths.length, Math.min(...lengths), Math.max(...lengths)], [64, 32, 512]);
  assert.equal(new Set(lengths).size, 64);
  assert.notDeepEqual(
    lengths,
    lengths.toSorted((a, b) => a - b),
  );
});

test("of the processor's features those that decide are told", () => {
  const cpuinfo = "model name\t: Zen\ncpu family\t: 25\nmodel\t\t: 17\nflags\t\t: fpu avx2 avx512_bf16 fma\n";
  const { model, features } = processor(cpuinfo);
  assert.deepEqual([model, features], ["Zen, family 25 model 17", ["avx2", "fma", "avx512_bf16"]]);
});

test("idle and waiting time is not busy time; a process's name may look like numbers", () => {
  assert.equal(busyTicks("cpu  10 1 5 1000 77 2 3 4 0 0\ncpu0 1 1 1 1\n"), 25);
  assert.equal(ticksOfProcess(1, "42 (a) 1 2) S 1 2 3 4 5 6 7 8 9 10 100 20 3 4 20 0"), 127);
});
