import assert from "node:assert/strict";
import { test } from "node:test";
import { readCurvesOptions } from "./curves.ts";
import { rates, readLedgerOptions } from "./ledger.ts";

test("the rate is from the last look at nothing to the first at all; the slowest second leaves out those that are not full", () => {
  const looks = [0, 0, 10_000, 40_000, 60_000, 61_000].map((stored, index) => ({ ms: 1000 * index, stored }));
  assert.deepEqual(rates(looks), { events: 61_000, seconds: 4, events_per_second: 15_250, slowest_second: 20_000 });
});

test("options are checked, and those of the record by default", () => {
  assert.deepEqual([readCurvesOptions([]).steps, readLedgerOptions([]).events], [173_385, 200_000]);
  assert.throws(() => readCurvesOptions(["--steps=0"]), RangeError);
  assert.throws(() => readLedgerOptions(["--events=1e9"]), RangeError);
});
