import assert from "node:assert/strict";
import { test } from "node:test";
import { entrantsOf } from "./entrants.ts";
import { readOptions } from "./options.ts";
import { readQueueOptions, spread } from "./queue.ts";
import { resumption } from "./resume.ts";

test("a step is that of 8 rows of the baseline, computed at once, in float32", () => {
  assert.deepEqual(readOptions(["step"], 2), {
    bench: "step",
    work: { model: "baseline", rows: 8, rowsAtOnce: 8, threads: 2 },
    precisions: ["float32"],
    rounds: 5,
    eager: false,
  });
});

for (const parameters of [
  [],
  ["run"],
  ["step", "score"],
  ["step", "--rounds=0"],
  ["step", "--rows=2", "--rows-at-once=3"],
]) {
  test(`"${parameters.join(" ")}" is refused`, () => assert.throws(() => readOptions(parameters), RangeError));
}

test("the eager path takes part only when it is asked for, and in float32 alone", () => {
  const eager = (asked: boolean) =>
    entrantsOf("step", ["float32", "bfloat16"], asked).filter(({ name }) => name === "pretrain, eager");
  assert.equal(eager(false).length, 0);
  assert.deepEqual(
    eager(true).map(({ precision }) => precision),
    ["float32"],
  );
});

test("the time to the first step is a median of sums, without the step that comes after it", () => {
  const round = (...seconds: number[]) => seconds.map((each, index) => ({ name: `part ${index}`, seconds: each }));
  const { parts, seconds_to_first_step } = resumption([round(1, 2, 50), round(3, 1, 60), round(2, 9, 70)]);
  assert.deepEqual(parts, round(2, 2, 60));
  assert.equal(seconds_to_first_step, 4); // of 3, 4 and 11
});

test("a queue is of 10,000 experiments, or as many as are asked for within reason", () => {
  assert.deepEqual(readQueueOptions([]), { experiments: 10_000 });
  assert.deepEqual(readQueueOptions(["--experiments=500"]), { experiments: 500 });
  assert.throws(() => readQueueOptions(["--experiments=5"]), RangeError);
});

test("a spread names the middle, the one that nineteen of twenty are below, and the largest", () => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index); // 1 to 100
  assert.deepEqual(spread(values), { p50: 50.5, p95: 96, max: 100 });
});
