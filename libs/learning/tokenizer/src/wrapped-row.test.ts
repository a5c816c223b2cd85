import assert from "node:assert/strict";
import { test } from "node:test";
import { type CutRule, wrappedRow } from "./index.ts";

const special = { pad: 0, bos: 1, eos: 2 };

for (const [claim, ids, maximumLength, cut, expected] of [
  ["a text gets both markers", [7, 8], 4, "after_wrap", { row: [1, 7, 8, 2], lost: 0, wrapped: false }],
  ["an empty text is the markers alone", [], 4, "after_wrap", { row: [1, 2], lost: 0, wrapped: false }],
  ["markers in the text are not doubled", [1, 7, 2], 4, "after_wrap", { row: [1, 7, 2], lost: 0, wrapped: true }],
  ["a begin alone gets its end", [1, 7], 4, "after_wrap", { row: [1, 7, 2], lost: 0, wrapped: false }],
  ["an end alone gets its begin", [7, 2], 4, "after_wrap", { row: [1, 7, 2], lost: 0, wrapped: false }],
  ["a begin is not taken for an end", [1], 4, "after_wrap", { row: [1, 2], lost: 0, wrapped: false }],
  ["markers inside stay", [7, 2, 1, 8], 9, "after_wrap", { row: [1, 7, 2, 1, 8, 2], lost: 0, wrapped: false }],
  [
    "a long row loses its end marker, and 1 token more",
    [7, 8, 9],
    3,
    "after_wrap",
    { row: [1, 7, 8], lost: 2, wrapped: false },
  ],
  [
    "with keep_eos it keeps the marker and loses as many",
    [7, 8, 9],
    3,
    "keep_eos",
    { row: [1, 7, 2], lost: 2, wrapped: false },
  ],
  ["keep_eos changes nothing in a row that fits", [7], 3, "keep_eos", { row: [1, 7, 2], lost: 0, wrapped: false }],
  ["two tokens are room for the markers", [7, 8], 2, "keep_eos", { row: [1, 2], lost: 2, wrapped: false }],
] as const) {
  test(claim, () => {
    const row = wrappedRow(Uint16Array.from(ids), special, { maximumLength, cut: cut satisfies CutRule });
    assert.deepEqual({ row: [...row.ids], lost: row.tokensLost, wrapped: row.wasWrapped }, expected);
  });
}
