/** Curves in buckets: their numbers, their limits, and that a zoom sees what is there. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { InvalidArgument } from "@pretrain/errors";
import { assertClose } from "@pretrain/golden";
import fc from "fast-check";
import { readSteps } from "../ledger/read-steps.ts";
import { ledgerOf } from "../test-support/ledger-of.ts";
import { runEvents } from "../test-support/run-events.ts";
import { curves } from "./curves.ts";
import { readCurves } from "./read-curves.ts";
import { cut, Thinner } from "./thinning.ts";

const ledger = ledgerOf(runEvents());
const whole = { experiment: "1-4-0", from: 0, to: 0, maximumBuckets: 1000 };

test("a bucket's mean loss is nats over tokens: 100 of 10 and 30 of 20 make 4.33; its last value is the last step's", () => {
  const thinner = new Thinner(cut(1, 4, 2));
  for (const [microStep, nats, tokens] of [
    [1, 100, 10],
    [2, 30, 20],
    [3, 4, 2],
    [4, 9, 0],
  ] as const)
    thinner.add(microStep, nats, tokens);
  assert.deepEqual(thinner.buckets(), [
    { firstMicroStep: 1, lastMicroStep: 2, count: 2, min: 1.5, mean: 130 / 30, max: 10, last: 1.5 },
    { firstMicroStep: 3, lastMicroStep: 3, count: 1, min: 2, mean: 2, max: 2, last: 2 }, // step 4 had no target
  ]);
});

test("any cut keeps every value in exactly one bucket, at most as many buckets as asked, and both extremes", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 120 }),
      fc.integer({ min: 1, max: 120 }),
      fc.integer({ min: 1, max: 50 }),
      (a, b, maximumBuckets) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        const [buckets = []] = readCurves(ledger, {
          experiment: "1-4-0",
          metrics: ["train/loss"],
          from,
          to,
          maximumBuckets,
        });
        const losses = [...readSteps(ledger, "1-4-0", from, to)].map(
          ({ lossNats, lossTokens }) => lossNats / lossTokens,
        );
        assert.ok(buckets.length <= maximumBuckets);
        assert.equal(
          buckets.reduce((sum, { count }) => sum + count, 0),
          losses.length,
        );
        assert.equal(Math.min(...buckets.map(({ min }) => min)), Math.min(...losses));
        assert.equal(Math.max(...buckets.map(({ max }) => max)), Math.max(...losses));
        assert.deepEqual(
          [buckets[0]?.firstMicroStep, buckets.at(-1)?.lastMicroStep, buckets.at(-1)?.last],
          [from, to, losses.at(-1)],
        );
      },
    ),
    { numRuns: 60 },
  );
});

test("curves that are asked for together are the same as one by one", () => {
  const metrics = Object.keys(curves);
  const together = readCurves(ledger, { ...whole, metrics });
  assert.deepEqual(
    together,
    metrics.map((metric) => readCurves(ledger, { ...whole, metrics: [metric] })[0]),
  );
  assert.deepEqual(
    metrics.filter((_, index) => together[index]?.length === 0),
    [],
  );
});

test("a norm exists where an optimizer step ends, a memory value where it was sampled, a loss where a checkpoint was evaluated", () => {
  const [norms, memory, evaluations] = readCurves(ledger, {
    ...whole,
    metrics: ["train/grad_norm", "memory/rss_bytes", "eval/loss"],
  });
  assert.deepEqual(
    norms?.slice(0, 3).map(({ lastMicroStep }) => lastMicroStep),
    [4, 8, 12],
  );
  assert.deepEqual(
    memory?.slice(0, 3).map(({ lastMicroStep }) => lastMicroStep),
    [10, 20, 30],
  );
  assert.deepEqual(
    evaluations?.map(({ lastMicroStep }) => lastMicroStep),
    [40, 80, 120],
  );
});

test("speed is tokens over time, not a mean of speeds; perplexity is exp of the mean loss, not a mean of perplexities", () => {
  const [[speed] = [], [perplexity] = [], [loss] = []] = readCurves(ledger, {
    ...whole,
    metrics: ["perf/tokens_per_second", "train/perplexity", "train/loss"],
    maximumBuckets: 1,
  });
  assertClose(speed?.mean ?? 0, 3800 / 0.8, 1e-9);
  assertClose(perplexity?.mean ?? 0, Math.exp(loss?.mean ?? 0), 1e-9);
});

test("an unknown name is refused by its place and the known ones are listed", () => {
  for (const name of ["train/los", "toString", "__proto__", ""]) {
    assert.throws(
      () => readCurves(ledger, { ...whole, metrics: ["train/loss", name] }),
      (error) =>
        error instanceof InvalidArgument &&
        error.violations[0]?.field === "metrics[1]" &&
        error.message.includes("train/grad_norm"),
    );
  }
});

test("a range without steps, and an experiment without steps, have empty curves", () => {
  assert.deepEqual(readCurves(ledger, { ...whole, metrics: ["train/loss"], from: 500, to: 600 }), [[]]);
  assert.deepEqual(readCurves(ledger, { ...whole, experiment: "9-9-9", metrics: ["train/loss", "eval/loss"] }), [
    [],
    [],
  ]);
});

test("README.md lists every curve with its unit", () => {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  const listed = [...readme.matchAll(/^\| `([a-z0-9/_]+)` \| ([^|]+) \| (?:micro|optimizer|memory|evaluated)/gm)].map(
    ([, name, unit]) => [name, unit],
  );
  assert.deepEqual(
    listed,
    Object.entries(curves).map(([name, { unit }]) => [name, unit]),
  );
});
