import assert from "node:assert/strict";
import { test } from "node:test";
import { alternate, unitsInRound } from "./alternate.ts";
import { median, tokensPerSecond } from "./statistics.ts";

test("the median of an even number of values is the mean of the two in the middle, whatever their order", () => {
  assert.equal(median([4, 1, 10, 2]), 3);
  assert.equal(median([9, 1, 2]), 2);
  assert.throws(() => median([]), RangeError);
});

test("best and median are of the speeds, not of the durations", () => {
  const rounds = [1, 2, 4].map((seconds) => ({ seconds, tokens: 100 }));
  assert.deepEqual(tokensPerSecond(rounds), { best: 100, median: 50 });
});

test("contenders take turns", async () => {
  const order: string[] = [];
  const results = await alternate(["a", "b"], 2, async (name) => order.push(name));
  assert.equal(order.join(""), "abab");
  assert.deepEqual(results, [
    [1, 3],
    [2, 4],
  ]);
});

test("a round keeps the fastest contender at work for three seconds", () => {
  assert.equal(unitsInRound([0.5, 2]), 6);
  assert.equal(unitsInRound([4]), 1);
  assert.equal(unitsInRound([0.001]), 200);
});
