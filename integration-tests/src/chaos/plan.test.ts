/** A seed is a run: the same plan for the same seed, and no kind of fault left out. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { planOf } from "./plan.ts";
import { SeededRandom } from "./seeded-random.ts";

const kinds = ["kill", "pause", "cut"] as const;

test("a plan follows from its seed: the same seed plans the same rounds, another one others", () => {
  assert.deepEqual(planOf("7", 50, kinds), planOf("7", 50, kinds));
  assert.notDeepEqual(planOf("7", 50, kinds), planOf("8", 50, kinds));
});

test("a longer run with the same seed begins with the same faults", () => {
  const faultsOf = (rounds: number) => planOf("7", rounds, kinds).map(({ fault }) => fault);
  assert.deepEqual(faultsOf(60).slice(0, 12), faultsOf(12));
});

test("every kind comes up before one comes up again", () => {
  const faults = planOf("any seed", 30, kinds).map(({ fault }) => fault);
  for (let start = 0; start < faults.length; start += kinds.length)
    assert.deepEqual(new Set(faults.slice(start, start + kinds.length)), new Set(kinds));
});

test("at least every second attempt is let get as far as a checkpoint", () => {
  const plan = planOf("1", 40, kinds);
  assert.ok(
    plan.every(({ awaitsCheckpoint }, index) => awaitsCheckpoint || plan[index + 1]?.awaitsCheckpoint !== false),
  );
});

test("seeded numbers fill their range evenly", () => {
  const random = new SeededRandom("42");
  const counts = Array.from({ length: 10 }, () => 0);
  for (let drawn = 0; drawn < 10_000; drawn += 1) {
    const digit = random.integer(0, 9);
    counts[digit] = (counts[digit] ?? 0) + 1;
  }
  // 1,000 expected of each, standard deviation 30
  assert.ok(
    counts.every((count) => Math.abs(count - 1000) < 150),
    counts.join(),
  );
});
