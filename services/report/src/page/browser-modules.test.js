/** The page's own arithmetic, which runs in the browser; tested where it can be checked by hand. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { duration, localTime, loss, short } from "../../page/figures.js";

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
