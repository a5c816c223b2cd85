/** What one pass over the steps finds, on runs small enough to be added up by hand. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertClose } from "@pretrain/golden";
import fc from "fast-check";
import { stepOf } from "../test-support/plain-step.ts";
import { leastSquaresLine } from "./least-squares.ts";
import { LossCurve } from "./loss-curve.ts";
import { runSteps } from "./run-steps.ts";

test("an epoch's mean loss is nats over tokens: 100 nats of 10 tokens and 30 of 20 make 4.33, not 5.75", () => {
  const { epochs } = runSteps([
    stepOf({ microStep: 1, lossNats: 100, lossTokens: 10, totalMs: 500 }),
    stepOf({ microStep: 2, lossNats: 30, lossTokens: 20, totalMs: 250 }),
  ]);
  const [first] = epochs.summaries();
  assert.equal(first?.meanLoss, 130 / 30);
  assert.equal(first?.lastLoss, 1.5);
  assert.equal(first?.durationSeconds, 0.75);
});

test("the largest rise is between neighbours: a gap between two steps makes no rise", () => {
  const losses = [5, 4, 4.5, 3, 9]; // 3 -> 9 is the largest, but step 4 is followed by step 6
  const steps = losses.map((loss, index) =>
    stepOf({ microStep: index < 4 ? index + 1 : 6, lossNats: loss * 10, lossTokens: 10 }),
  );
  const { losses: extremes, missing } = runSteps(steps);
  assert.equal(extremes.largestRise?.rise, 0.5);
  assert.equal(extremes.largestRise?.step.microStep, 3);
  assert.equal(extremes.best?.loss, 3);
  assert.deepEqual(missing.ranges, [{ first: 5, last: 5 }]);
});

test("missing micro-steps are named as ranges, the beginning included, and counted beyond the twentieth range", () => {
  const few = runSteps([stepOf({ microStep: 3 }), stepOf({ microStep: 4 }), stepOf({ microStep: 10 })]).missing;
  assert.deepEqual(few.ranges, [
    { first: 1, last: 2 },
    { first: 5, last: 9 },
  ]);
  assert.equal(few.missing, 7);
  const many = runSteps(Array.from({ length: 50 }, (_, index) => stepOf({ microStep: 2 * index + 2 }))).missing;
  assert.equal(many.ranges.length, 20);
  assert.equal(many.missing, 50);
});

test("only optimizer steps have a norm, and only a scale below 1 is clipping", () => {
  const { gradients } = runSteps([
    stepOf({ microStep: 1 }),
    stepOf({ microStep: 2, gradientNorm: 4, clipScale: 0.25 }),
    stepOf({ microStep: 4, gradientNorm: 0.5, clipScale: 1 }),
  ]);
  assert.deepEqual(
    [gradients.optimizerSteps, gradients.clippedSteps, gradients.largest],
    [2, 1, { norm: 4, microStep: 2 }],
  );
});

test("a step without targets has no loss, and no sum is divided by zero", () => {
  const { losses, curve, epochs } = runSteps([stepOf({ microStep: 1, lossNats: 0, lossTokens: 0 })]);
  assert.deepEqual([losses.first, curve.points(), epochs.summaries()], [undefined, [], []]);
});

test("the slope of memory over steps is least squares: 3 bytes per step, and what noise leaves unsure of it", () => {
  const line = leastSquaresLine([
    [10, 31],
    [20, 59],
    [30, 91],
  ]);
  assert.equal(line?.slope, 3);
  assertClose(line?.slopeError ?? 0, Math.sqrt(8 / 3 / 200), 1e-12); // left over are 2/3, -4/3 and 2/3
  const upright = [
    [10, 5],
    [10, 7],
  ] as const;
  assert.equal(leastSquaresLine(upright), undefined);
  assert.equal(leastSquaresLine([]), undefined);
});

test("the thinned curve keeps every extreme and every nat, for runs of any length and with any gaps", () => {
  const run = fc.uniqueArray(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(run, fc.integer({ min: 2, max: 20 }), (numbers, maximum) => {
      const steps = [...numbers]
        .sort((a, b) => a - b)
        .map((microStep) => stepOf({ microStep, lossNats: (microStep * 37) % 101, lossTokens: 7 }));
      const curve = new LossCurve(maximum);
      for (const step of steps) curve.read(step);
      const points = curve.points();
      const losses = steps.map(({ lossNats }) => lossNats / 7);
      assert.ok(points.length <= maximum);
      assert.equal(Math.min(...points.map(({ min }) => min)), Math.min(...losses));
      assert.equal(Math.max(...points.map(({ max }) => max)), Math.max(...losses));
      assert.equal(Number(points.at(-1)?.microStep), steps.at(-1)?.microStep);
      for (const { min, mean, max } of points) assert.ok(min <= mean + 1e-9 && mean <= max + 1e-9);
    }),
  );
});

test("a curve of four steps in two buckets: the mean of a bucket is its nats over its tokens", () => {
  const curve = new LossCurve(2);
  for (const [microStep, nats, tokens] of [
    [1, 80, 10],
    [2, 60, 20],
    [3, 20, 10],
    [4, 40, 10],
  ] as const) {
    curve.read(stepOf({ microStep, lossNats: nats, lossTokens: tokens }));
  }
  assert.deepEqual(
    curve.points().map(({ microStep, min, mean, max }) => [Number(microStep), min, mean, max]),
    [
      [2, 3, 140 / 30, 8],
      [4, 2, 3, 4],
    ],
  );
});
