import assert from "node:assert/strict";
import { test } from "node:test";
import { OutOfRange } from "@pretrain/errors";
import fc from "fast-check";
import { rowOrder } from "./index.ts";

const seeds = fc.nat({ max: 2 ** 32 - 1 });

function whole(rows: number, seed: number, epoch: number, shuffle: "none" | "per_epoch" = "per_epoch"): number[] {
  return Array.from({ length: rows }, (_, place) => rowOrder({ rows, seed, epoch, shuffle })(place));
}

test("an epoch hands out every row exactly once, for any number of rows, seed and epoch", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3000 }), seeds, fc.integer({ min: 1, max: 100_000 }), (rows, seed, epoch) => {
      const seen = whole(rows, seed, epoch);
      assert.equal(new Set(seen).size, rows);
      assert.ok(seen.every((row) => row >= 0 && row < rows));
    }),
  );
});

test("without shuffling every epoch is the order of the file, whatever the seed", () => {
  assert.deepEqual(whole(5, 7, 3, "none"), [0, 1, 2, 3, 4]);
});

test("another epoch or another seed is another order, the same ones the same", () => {
  fc.assert(
    fc.property(seeds, seeds, fc.integer({ min: 1, max: 1000 }), (seed, otherSeed, epoch) => {
      const order = whole(200, seed, epoch);
      assert.deepEqual(whole(200, seed, epoch), order);
      assert.notDeepEqual(whole(200, seed, epoch + 1), order);
      if (seed !== otherSeed) assert.notDeepEqual(whole(200, otherSeed, epoch), order);
    }),
  );
});

test("the order never changes between versions of this program: a run may be resumed by a later one", () => {
  assert.deepEqual(whole(10, 42, 1), [1, 8, 9, 2, 5, 4, 6, 3, 0, 7]);
  assert.deepEqual(whole(10, 42, 2), [5, 0, 1, 9, 4, 8, 2, 6, 3, 7]);
  const large = rowOrder({ rows: 7_397_760, seed: 42, epoch: 3, shuffle: "per_epoch" });
  assert.deepEqual([0, 1, 7_397_759].map(large), [7_366_723, 5_636_206, 5_055_013]);
});

test("each of seven rows comes first, and comes last, in a seventh of 21,000 seeds, within five standard deviations", () => {
  const [first, last] = [new Uint32Array(7), new Uint32Array(7)];
  for (let seed = 0; seed < 21_000; seed += 1) {
    const order = rowOrder({ rows: 7, seed, epoch: 1, shuffle: "per_epoch" });
    first[order(0)] = (first[order(0)] ?? 0) + 1;
    last[order(6)] = (last[order(6)] ?? 0) + 1;
  }
  const deviation = Math.sqrt(21_000 * (1 / 7) * (6 / 7)); // 50.7 around 3000
  for (const count of [...first, ...last])
    assert.ok(Math.abs(count - 3000) < 5 * deviation, `${first.join(" ")}, ${last.join(" ")}`);
});

test("neighbours are scattered: rows that were next to each other are next to each other about twice in a thousand places", () => {
  const order = whole(1000, 1, 1);
  const close = order.filter((row, place) => place > 0 && Math.abs(row - (order[place - 1] ?? 0)) === 1).length;
  assert.ok(close < 12, `${close}`); // expected 2
});

test("2^52 rows are addressed without being counted", () => {
  const rows = 2 ** 52;
  const order = rowOrder({ rows, seed: 1, epoch: 1, shuffle: "per_epoch" });
  const seen = [0, 1, rows - 1].map(order);
  assert.equal(new Set(seen).size, 3);
  assert.ok(seen.every((row) => Number.isSafeInteger(row) && row >= 0 && row < rows));
});

test("a place that the epoch does not have is refused", () => {
  for (const place of [-1, 3, 0.5, Number.NaN]) {
    assert.throws(() => rowOrder({ rows: 3, seed: 0, epoch: 1, shuffle: "none" })(place), OutOfRange);
  }
  assert.throws(() => rowOrder({ rows: 0, seed: 0, epoch: 1, shuffle: "per_epoch" })(0), OutOfRange);
});
