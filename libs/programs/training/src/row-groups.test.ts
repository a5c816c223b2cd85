import assert from "node:assert/strict";
import { test } from "node:test";
import { rowGroups, widthFor } from "./row-groups.ts";

test("a batch is cut into groups of rows, filled up with empty ones, each as wide as its longest row asks for", () => {
  const tokens = Uint16Array.from([1, 2, 9, 9, 9, 9, 9, 9, 3, 4, 5, 9, 9, 9, 9, 9, 6, 9, 9, 9, 9, 9, 9, 9]);
  const groups = rowGroups({ tokens, lengths: Int32Array.from([2, 3, 1]) }, 2, 16);
  assert.deepEqual(groups, [
    { width: 4, tokens: Int32Array.from([1, 2, 0, 0, 3, 4, 5, 0]), lengths: Int32Array.from([2, 3]) },
    { width: 2, tokens: Int32Array.from([6, 0, 0, 0]), lengths: Int32Array.from([1, 0]) },
  ]);
});

for (const [length, longest, width] of [
  [1, 512, 64],
  [64, 512, 64],
  [65, 512, 128],
  [512, 512, 512],
  [0, 512, 64], // a group of empty rows still is one
  [3, 12, 4],
  [9, 9, 9], // never wider than the longest sequence, though eighths of 9 are 2
  [1, 1, 2], // one position predicts the other
] as const) {
  test(`${length} tokens of at most ${longest} are computed at a width of ${width}`, () => {
    assert.equal(widthFor(length, longest), width);
  });
}
