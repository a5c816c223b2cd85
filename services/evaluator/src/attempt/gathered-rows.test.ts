import assert from "node:assert/strict";
import { test } from "node:test";
import type { Row } from "../evaluation/sample-selection.ts";
import { gathered } from "./gathered-rows.ts";

async function* batchesOf(count: number, rows: number, length: number): AsyncGenerator<readonly Row[]> {
  const tokens = new Uint16Array(length);
  for (let batch = 0; batch < count; batch += 1) {
    yield Array.from({ length: rows }, (_, row) => ({ rowId: batch * rows + row, tokens }));
  }
}

for (const [claim, batches, sizes] of [
  ["batches of 50 rows are joined to 150, and what is left follows", batchesOf(7, 50, 10), [150, 150, 50]],
  ["rows of 60,000 tokens are sent as soon as they have a million", batchesOf(20, 3, 60_000), [18, 18, 18, 6]],
  ["a batch that is large enough is sent alone", batchesOf(2, 200, 1), [200, 200]],
  ["no row, no message", batchesOf(0, 1, 1), []],
] as const) {
  test(claim, async () => {
    const sent = await Array.fromAsync(gathered(batches));
    assert.deepEqual(sent.map((rows) => rows.length), sizes); // biome-ignore format: one line
    const ids = sent.flat().map(({ rowId }) => rowId);
    assert.deepEqual(ids, [...ids.keys()]);
  });
}
