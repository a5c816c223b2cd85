/**
 * Analyzes one dataset: each split is read once, a slice of rows at a time. Between two slices other calls have their turn: a slice
 * computes for some milliseconds.
 */
import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { ShardedDataset, SplitName } from "@pretrain/shards";
import { RowSample, type SampleLimits } from "./row-sample.ts";
import { type OverlapCounts, SplitOverlap } from "./split-overlap.ts";
import type { Markers } from "./token-runs.ts";

/** Of the validation rows that are compared; for this many some 100 MB are held while the dataset is analyzed. */
const comparedRows: SampleLimits = { rows: 2 ** 17, tokens: 2 ** 22 };
const sliceTokens = 2 ** 16;

export interface DatasetFindings {
  /** By token id, markers too. */
  readonly trainTokenCounts: Float64Array;
  readonly overlap: OverlapCounts;
  /** One validation row of so many was compared. */
  readonly comparedEvery: number;
}

/**
 * @param markers of the dataset's tokenizer
 * @throws the reason of `signal`; DataLoss naming the part that is damaged
 */
export async function analyze(
  shards: ShardedDataset,
  markers: Markers,
  { signal, limits = comparedRows }: { readonly signal: AbortSignal; readonly limits?: SampleLimits },
): Promise<DatasetFindings> {
  const sample = new RowSample(limits);
  for await (const rows of storedSlices(shards, "validation", signal)) for (const row of rows) sample.offer(row);
  const overlap = new SplitOverlap(sample, markers);
  for await (const rows of heldSlices(sample)) for (const row of rows) overlap.addValidation(row);
  const trainTokenCounts = new Float64Array(shards.manifest.identity.vocabularySize);
  for await (const rows of storedSlices(shards, "train", signal)) {
    for (const row of rows) overlap.seeTraining(row);
    for (const row of rows) countTokens(row, trainTokenCounts);
  }
  for await (const rows of heldSlices(sample)) for (const row of rows) overlap.count(row);
  const counted = trainTokenCounts.reduce((sum, count) => sum + count, 0);
  assert.equal(counted, shards.manifest.splits.train.tokens, "a token was counted twice, or not at all");
  return { trainTokenCounts, overlap: overlap.counts, comparedEvery: sample.step };
}

function countTokens(row: Uint16Array, counts: Float64Array): void {
  for (const id of row) counts[id] = (counts[id] ?? 0) + 1;
}

/** The rows of a split in the order of the file; reading the next slice is the others' turn. */
async function* storedSlices(
  shards: ShardedDataset,
  split: SplitName,
  signal: AbortSignal,
): AsyncGenerator<readonly Uint16Array[]> {
  const { rows } = shards.manifest.splits[split];
  const rowsPerSlice = Math.ceil(sliceTokens / shards.manifest.identity.maximumSequenceLength);
  for (let first = 0; first < rows; first += rowsPerSlice) {
    signal.throwIfAborted();
    const rowIds = Array.from({ length: Math.min(rowsPerSlice, rows - first) }, (_, index) => first + index);
    yield await shards.readRows(split, rowIds);
  }
}

async function* heldSlices({ rows }: RowSample): AsyncGenerator<readonly Uint16Array[]> {
  const longest = rows.reduce((length, row) => Math.max(length, row.length), 1);
  const rowsPerSlice = Math.ceil(sliceTokens / longest);
  for (let first = 0; first < rows.length; first += rowsPerSlice) {
    await nextTurn();
    yield rows.slice(first, first + rowsPerSlice);
  }
}
