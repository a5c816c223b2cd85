/** The page's own arithmetic, which runs in the browser; tested where it can be checked by hand. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { aligned, CurveData } from "../../page/charts/curve-data.js";
import { smoothed } from "../../page/charts/smoothing.js";
import { duration, localTime, loss, short } from "../../page/figures.js";

test("smoothing has no pull towards zero: the first value stays, a constant stays constant", () => {
  assert.deepEqual(smoothed([8, 8, 8], 0.75), [8, 8, 8]);
  assert.equal(smoothed([8, 4], 0.5)[1], (0.25 * 8 + 0.5 * 4) / 0.75);
  assert.deepEqual(smoothed([3, 1, 2], 0), [3, 1, 2]);
});

test("a gap stays a gap and pulls on nothing", () => {
  assert.deepEqual(smoothed([8, null, 8, Number.NaN, 8], 0.9), [8, null, 8, null, 8]);
});

test("steps that come twice are appended once, and a step without a value is left out", () => {
  const curve = new CurveData();
  curve.load({ metric: "train/loss", first: [1], last: [4], min: [2], mean: [3], max: [5] });
  curve.append([3, 4, 5, 6, 7], [9, 9, 2.5, null, 2]);
  assert.deepEqual(
    [curve.steps, curve.mean, curve.min, curve.max],
    [
      [4, 5, 7],
      [3, 2.5, 2],
      [2, 2.5, 2],
      [5, 2.5, 2],
    ],
  );
  assert.equal(curve.hasGrownTooLong, false);
});

test("curves with different steps are laid over each other without a value in the wrong place", () => {
  const columns = aligned([
    {
      steps: [1, 3, 5],
      values: [
        [10, 30, 50],
        [11, 31, 51],
      ],
    },
    { steps: [3, 4], values: [[0.3, 0.4]] },
  ]);
  assert.deepEqual(columns, [
    [1, 3, 4, 5],
    [10, 30, null, 50],
    [11, 31, null, 51],
    [null, 0.3, 0.4, null],
  ]);
});

test("figures are those of the record", () => {
  assert.equal(loss(2.4323), "2.4323");
  assert.equal(loss(undefined), "–");
  assert.equal(duration(42_180), "11 h 43 min");
  assert.equal(duration(96), "1 min 36 s");
  assert.equal(duration(200_000), "2 d 7 h");
  assert.deepEqual([4750, 2e-4, 0.5120212, 271_202.15, 0, null].map(short), [
    "4,750",
    "2e-4",
    "0.51202",
    "271,202",
    "0",
    "–",
  ]);
});

test("a point in time names its zone", () => {
  const before = process.env["TZ"];
  process.env["TZ"] = "Asia/Shanghai";
  try {
    assert.equal(localTime(Date.UTC(2025, 6, 30, 15, 54, 41)), "2025-07-30 23:54 UTC+08:00");
  } finally {
    if (before === undefined) delete process.env["TZ"];
    else process.env["TZ"] = before;
  }
});
