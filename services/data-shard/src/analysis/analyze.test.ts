import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { openBlobs } from "@pretrain/blobs";
import { openShards, ShardWriter } from "@pretrain/shards";
import { temporaryDirectory } from "@pretrain/testing";
import fc from "fast-check";
import { analyze } from "./analyze.ts";
import type { SampleLimits } from "./row-sample.ts";
import { markersOf } from "./token-runs.ts";

const [pad, bos, eos] = [0, 1, 2];
const markers = markersOf([pad, bos, eos]);
const vocabularySize = 40;
type Row = readonly number[];

/** A dataset of these rows on the disk. */
async function shardsOf(
  t: TestContext,
  train: readonly Row[],
  validation: readonly Row[],
  maximumSequenceLength = 512,
) {
  const blobs = openBlobs(pathToFileURL(temporaryDirectory(t)).href);
  const writer = new ShardWriter(blobs, "book", { shardBytes: 256 });
  for (const row of train) await writer.append("train", Uint16Array.from(row));
  for (const row of validation) await writer.append("validation", Uint16Array.from(row));
  const tokenizer = { tokenizerKey: "tokenizers/x.json", tokenizerSha256: "00", vocabularySize };
  const { manifestSha256 } = await writer.finish({ ...tokenizer, maximumSequenceLength });
  return await openShards(blobs, "book", manifestSha256);
}

async function findingsOf(t: TestContext, train: readonly Row[], validation: readonly Row[], limits?: SampleLimits) {
  const shards = await shardsOf(t, train, validation);
  const { signal } = new AbortController();
  return await analyze(shards, markers, { signal, ...(limits && { limits }) });
}

/** A row of the tokens `first`, `first` + 1, … */
const counting = (first: number, length: number) => Array.from({ length }, (_, index) => first + index);
const wrapped = (...ids: Row) => [bos, ...ids, eos];

test("a validation row that was trained on is identical, whatever markers the two kept, and each of its runs overlaps", async (t) => {
  const train = [wrapped(7), [bos, ...counting(3, 20)], wrapped(8, 9)]; // the second was cut: it has lost its end marker
  const validation = [wrapped(...counting(3, 20)), wrapped(...counting(4, 20))];
  const { overlap } = await findingsOf(t, train, validation);
  // 20 tokens hold 8 runs of 13. The second row lacks the first of them and ends one token later.
  assert.deepEqual(overlap, { rows: 2, identicalRows: 1, runs: 16, overlappingRuns: 8 + 7, rowsWithOverlap: 2 });
});

for (const [tokens, overlappingRuns] of [
  [12, 0],
  [13, 1],
  [14, 2],
] as const) {
  test(`${tokens} tokens of a training row planted elsewhere in a validation row are ${overlappingRuns} runs`, async (t) => {
    const train = [wrapped(...counting(3, 4), ...counting(20, tokens))];
    const validation = [wrapped(5, 4, 3, 39, ...counting(20, tokens), 39)];
    const { overlap } = await findingsOf(t, train, validation);
    assert.deepEqual([overlap.overlappingRuns, overlap.identicalRows], [overlappingRuns, 0]);
  });
}

test("no run goes over a marker, and a row shorter than a run is identical or nothing", async (t) => {
  const train = [wrapped(...counting(3, 7), ...counting(10, 7)), wrapped(30, 31)];
  const validation = [wrapped(...counting(3, 7), pad, ...counting(10, 7)), wrapped(30, 31), wrapped(30, 32)];
  const { overlap } = await findingsOf(t, train, validation);
  // Without markers the first row is the training row's 14 tokens; 7 and 7 of them hold no run.
  assert.deepEqual(overlap, { rows: 3, identicalRows: 2, runs: 0, overlappingRuns: 0, rowsWithOverlap: 0 });
});

test("every token of the training split is counted, markers too, and none of the validation split", async (t) => {
  const { trainTokenCounts } = await findingsOf(t, [wrapped(5, 6, 5), [bos, 5]], [wrapped(5, 7)]);
  const expected = new Float64Array(vocabularySize);
  expected.set([0, 2, 1, 0, 0, 3, 1]);
  assert.deepEqual(trainTokenCounts, expected);
});

/** What the contract says, with texts and sets. */
function naiveOverlap(train: readonly Row[], validation: readonly Row[]) {
  const bare = (row: Row) => row.filter((id) => id > eos).join(" ");
  const runs = (row: Row) => {
    const all = row.slice(0, -12).map((_, start) => row.slice(start, start + 13));
    return all.filter((run) => run.every((id) => id > eos)).map((run) => run.join(" "));
  };
  const [trainRows, trainRuns] = [new Set(train.map(bare)), new Set(train.flatMap(runs))];
  const seen = validation.map((row) => runs(row).filter((run) => trainRuns.has(run)).length);
  return {
    rows: validation.length,
    identicalRows: validation.filter((row) => trainRows.has(bare(row))).length,
    runs: validation.flatMap(runs).length,
    overlappingRuns: seen.reduce((sum, count) => sum + count, 0),
    rowsWithOverlap: seen.filter((count) => count > 0).length,
  };
}

test("the counts are those of a plain comparison of texts, for drawn rows that share phrases", async (t) => {
  // Phrases of few different tokens: the same runs, almost the same runs, and rows of any length with markers anywhere.
  const phrases = [counting(3, 9), counting(3, 8), counting(12, 13), [3], [4], [pad], [eos], counting(5, 30)];
  const row = fc
    .array(fc.constantFrom(...phrases), { minLength: 0, maxLength: 5 })
    .map((parts) => [bos, ...parts.flat()]);
  const rows = fc.array(row, { minLength: 1, maxLength: 12 });
  const shared = { rows: 0, runs: 0 };
  await fc.assert(
    fc.asyncProperty(rows, rows, async (train, validation) => {
      const { overlap, comparedEvery } = await findingsOf(t, train, validation);
      assert.deepEqual({ ...overlap, comparedEvery }, { ...naiveOverlap(train, validation), comparedEvery: 1 });
      shared.rows += overlap.identicalRows;
      shared.runs += overlap.overlappingRuns;
    }),
    { numRuns: 60 },
  );
  assert.ok(shared.rows > 0 && shared.runs > 0, "the drawn rows share nothing: the property says little");
});

test("above its limits every second validation row is compared, every fourth, …, with all training rows", async (t) => {
  const validation = Array.from({ length: 11 }, (_, index) => wrapped(...counting(3 + index, 13)));
  const train = validation.slice(4, 9);
  const rowsOf = async (limits: SampleLimits) => {
    const { overlap, comparedEvery } = await findingsOf(t, train, validation, limits);
    return [comparedEvery, overlap.rows, overlap.identicalRows];
  };
  assert.deepEqual(await rowsOf({ rows: 11, tokens: 1000 }), [1, 11, 5]);
  assert.deepEqual(await rowsOf({ rows: 10, tokens: 1000 }), [2, 6, 3]); // 0 2 4 6 8 10, trained on: 4 6 8
  assert.deepEqual(await rowsOf({ rows: 100, tokens: 60 }), [4, 3, 2]); // 15 tokens each: 0 4 8
});

test("a dataset without validation rows has counts of tokens and an overlap of nothing", async (t) => {
  const { trainTokenCounts, overlap } = await findingsOf(t, [wrapped(5)], []);
  assert.equal(trainTokenCounts[5], 1);
  assert.deepEqual(overlap, { rows: 0, identicalRows: 0, runs: 0, overlappingRuns: 0, rowsWithOverlap: 0 });
});

test("others have their turn between two slices, and a stop ends it there", async (t) => {
  const rows = Array.from({ length: 40 }, () => wrapped(5, 6));
  const shards = await shardsOf(t, rows, rows, 65_536); // two rows in a slice: 20 of each split
  const stop = new AbortController();
  let turns = 0;
  let isDone = false;
  const others = (async () => {
    for (; !isDone; turns += 1) await nextTurn();
  })();
  await analyze(shards, markers, { signal: stop.signal });
  isDone = true;
  await others;
  assert.ok(turns >= 40, `${turns} turns`);
  stop.abort(new Error("the service stops"));
  await assert.rejects(analyze(shards, markers, { signal: stop.signal }), /the service stops/);
});
