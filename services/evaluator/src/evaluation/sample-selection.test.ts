import assert from "node:assert/strict";
import { test } from "node:test";
import { SampleSelection } from "./sample-selection.ts";

/** Ids of the rows taken, of rows with these lengths; ids count from 0. */
function taken(selection: SampleSelection, lengths: readonly number[]): number[] {
  const rows = lengths.map((length, rowId) => ({ rowId, tokens: new Uint16Array(length) }));
  return rows.filter((row) => selection.takes(row)).map(({ rowId }) => rowId);
}

test("the first rows with enough tokens are taken, in the order of the file", () => {
  const selection = new SampleSelection(2, 200);
  assert.deepEqual(taken(selection, [512, 199, 200, 512]), [0, 2]);
  assert.equal(selection.skippedRows, 1);
});

test("rows behind the last sample are not looked at: nothing there counts as skipped", () => {
  const selection = new SampleSelection(1, 200);
  assert.deepEqual(taken(selection, [3, 200, 3, 3]), [1]);
  assert.equal(selection.skippedRows, 1);
});

test("with fewer long rows than samples, those there are are taken and all short ones counted", () => {
  const selection = new SampleSelection(10, 200);
  assert.deepEqual(taken(selection, [3, 200, 3, 3]), [1]);
  assert.equal(selection.skippedRows, 3);
});

test("with none there is no sample", () => {
  const selection = new SampleSelection(10, 200);
  assert.deepEqual(taken(selection, [199, 0]), []);
  assert.equal(selection.skippedRows, 2);
});
