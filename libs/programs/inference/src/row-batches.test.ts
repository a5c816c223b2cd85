/** How rows are put together: every row once, little padding, few kinds of batches. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { rowBatches, widthFor } from "./row-batches.ts";

const rowsOf = (lengths: readonly number[]) => lengths.map((length, row) => Array<number>(length).fill(row + 1));

test("rows of 7, 500, 31, 120 and 480 tokens are two of 512 positions, then four of 128, one of them empty", () => {
  const batches = rowBatches(rowsOf([7, 500, 31, 120, 480]), 512, 2);
  assert.deepEqual(
    batches.map(({ width, indices, lengths }) => [width, indices, [...lengths]]),
    [
      [512, [1, 4], [500, 480]],
      [128, [3, 2], [120, 31]],
      [32, [0], [7]],
    ],
  );
  const four = rowBatches(rowsOf([7, 120, 31]), 512);
  assert.deepEqual(
    four.map(({ width, lengths }) => [width, [...lengths]]),
    [[128, [120, 31, 7, 0]]],
  );
  assert.deepEqual([...(four[0]?.tokens.subarray(119, 130) ?? [])], [2, 0, 0, 0, 0, 0, 0, 0, 0, 3, 3]);
});

test("every row is in one batch, whole; a batch has a power of two of rows, at most 2,048 positions or one row", () => {
  const lengths = fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 60 });
  fc.assert(
    fc.property(lengths, fc.constantFrom(1, 5, 1000), (rowLengths, maxRows) => {
      const rows = rowsOf(rowLengths);
      const batches = rowBatches(rows, 300, maxRows);
      assert.deepEqual(
        batches.flatMap(({ indices }) => indices).sort((a, b) => a - b),
        [...rows.keys()],
      );
      for (const { width, indices, lengths: found, tokens } of batches) {
        assert.ok(Number.isInteger(Math.log2(found.length)) && found.length <= maxRows);
        assert.ok(found.length * width <= 2048 && tokens.length === found.length * width);
        for (const [place, index] of indices.entries()) {
          const start = place * width;
          assert.deepEqual([...tokens.subarray(start, start + (found[place] ?? 0))], rows[index]);
        }
      }
    }),
    { seed: 1 },
  );
});

test("widths go by 32 up to 128, then by 64, and end with the model's sequences and the token behind them", () => {
  const widths = [0, 1, 32, 33, 128, 129, 192, 193, 500, 501].map((length) => widthFor(length, 500));
  assert.deepEqual(widths, [32, 32, 32, 64, 128, 192, 192, 256, 500, 501]);
  assert.equal(widthFor(1, 1), 2);
  assert.throws(() => widthFor(502, 500), /502 tokens; the model has 500 positions/);
});
