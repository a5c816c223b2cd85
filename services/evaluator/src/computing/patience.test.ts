import assert from "node:assert/strict";
import { test } from "node:test";
import { Patience } from "./patience.ts";

test("who computed in each period is waited for, up to twenty of them; who did not in one is not", () => {
  const slow = new Patience(1000);
  const periods = Array.from({ length: 20 }, (_, period) => slow.holds(1010 + 10 * period));
  assert.deepEqual(periods, [...Array(19).fill(true), false]);
  const hanging = new Patience(1000);
  assert.deepEqual([hanging.holds(1010), hanging.holds(1010)], [true, false]);
});

test("where the system does not tell what a process computed, or it is gone, one period is all", () => {
  assert.equal(new Patience(undefined).holds(undefined), false);
  assert.equal(new Patience(1000).holds(undefined), false);
});
