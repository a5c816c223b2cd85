/** A mark that says too much would pass over records: any flipped bit in it makes it say nothing. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "@pretrain/testing";
import { readMark, writeMark } from "./marks.ts";

test("a mark is read back, the last one written; where none was written it is 0", (t) => {
  const folder = temporaryDirectory(t);
  assert.equal(readMark(folder, "sent"), 0);
  for (const sequence of [1, 784, 10_000_000]) {
    writeMark(folder, "sent", sequence);
    assert.equal(readMark(folder, "sent"), sequence);
  }
  assert.equal(readMark(folder, "confirmed"), 0);
});

test("whichever bit of a mark flips, and wherever it is cut, it counts as none", (t) => {
  const folder = temporaryDirectory(t);
  writeMark(folder, "confirmed", 784);
  const path = join(folder, "confirmed");
  const whole = readFileSync(path);
  for (let bit = 0; bit < 8 * whole.length; bit += 1) {
    const flipped = Buffer.from(whole);
    flipped.writeUInt8((flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7)), bit >> 3);
    writeFileSync(path, flipped);
    assert.equal(readMark(folder, "confirmed"), 0, `bit ${bit}: ${flipped.toString("latin1")}`);
  }
  for (let length = 0; length < whole.length; length += 1) {
    writeFileSync(path, whole.subarray(0, length));
    assert.equal(readMark(folder, "confirmed"), 0, `cut to ${length} bytes`);
  }
});
