import assert from "node:assert/strict";
import { test } from "node:test";
import { figures, type Span } from "./beside.ts";
import { readBesideOptions } from "./beside-options.ts";

const span = (beginSeconds: number, endSeconds: number): Span => ({
  beginMs: 1000 * beginSeconds,
  endMs: 1000 * endSeconds,
});

test("a step is beside an evaluation when all of it is; one that is so in part counts on neither side, nor do the first two", () => {
  const lengths = [9, 9, /* at 18 */ 1, 1, /* 20 */ 2, 3, 3, 4, /* 32 */ 1, 1, 1];
  const ends = lengths.map((_, index) => lengths.slice(0, index + 1).reduce((sum, length) => sum + length, 0));
  const steps = ends.map((end, index) => span(end - (lengths[index] ?? 0), end));
  const found = figures(steps, [span(21, 30), span(33, 33.5)], span(40, 45));
  assert.deepEqual(found, {
    step_seconds_beside: 3, // 22 to 25 and 25 to 28
    steps_beside: 2,
    step_seconds_alone: 1, // 18, 19, 32 and 34
    steps_alone: 4,
    evaluation_seconds_beside: [0.5], // the first one traces
    evaluation_seconds_alone: 5,
  });
});

test("options are checked, and small by default: minutes", () => {
  assert.deepEqual(readBesideOptions(["--niceness=19"]), {
    model: "small",
    niceness: 19,
    threads: 0,
    saveInterval: 60,
    rows: 8,
    validationRows: 64,
  });
  for (const wrong of ["--niceness=20", "--model=large", "--rows=0"]) {
    assert.throws(() => readBesideOptions([wrong]), RangeError);
  }
});
