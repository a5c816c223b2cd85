import assert from "node:assert/strict";
import { test } from "node:test";
import { type Comparison, comparisonTable, holds, relativeDifference, unequal } from "./comparison.ts";

const equal: Comparison = {
  model: "small",
  files: "GGUF",
  program: "another one",
  what: "validation loss",
  ours: 2,
  theirs: 2.00001,
  difference: relativeDifference(2, 2.00001),
  limit: 1e-5,
  unequal: [],
};

test("losses that are a share of 1e-5 apart are within a limit of 1e-5, twice as far is not, nor is what is no number", () => {
  assert.ok(holds({ ...equal, difference: relativeDifference(2, 2.000019) }));
  assert.ok(!holds({ ...equal, difference: relativeDifference(2, 2.00004) }));
  assert.ok(!holds({ ...equal, difference: relativeDifference(2, Number.NaN) }));
});

test("what is not the same, token for token, is named and holds nothing", () => {
  const names = unequal({
    "generated tokens": [
      [1, 2],
      [1, 3],
    ],
    markers: [[1], [1]],
    "tokens of a text": [[1], [1, 2]],
  });
  assert.deepEqual(names, ["generated tokens", "tokens of a text"]);
  assert.ok(!holds({ ...equal, unequal: names }));
  assert.match(comparisonTable([{ ...equal, unequal: names }]), /NOT generated tokens, tokens of a text +NO$/m);
});
