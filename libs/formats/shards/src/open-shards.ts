/** Reading a dataset: any row of a split, in any order, after every part that it touches was verified. */
import { type BlobStore, verifiedRead } from "@pretrain/blobs";
import { OutOfRange } from "@pretrain/errors";
import {
  type DatasetManifest,
  datasetPrefix,
  decodeManifest,
  manifestKey,
  type ShardDescription,
  type SplitName,
} from "./dataset-manifest.ts";
import { PartReader } from "./part-reader.ts";
import { type RowIndex, verifiedRow } from "./row-index.ts";

/** A run may not be larger, so that a batch of neighbouring rows is not one huge read; every row fits. */
const maximumRunTokens = 2 ** 19;
/** Reads at the same time; each holds a file open. */
const parallelReads = 8;

/** Neighbouring rows of one shard: one read. */
interface Run {
  readonly shard: ShardDescription;
  readonly index: RowIndex;
  /** First row, counted in the shard, and number of rows. */
  readonly firstRow: number;
  rows: number;
}

/**
 * Opens the dataset whose manifest has this SHA-256.
 * @throws DataLoss when the manifest is another one; NotFound when there is none
 */
export async function openShards(blobs: BlobStore, datasetId: string, manifestSha256: string): Promise<ShardedDataset> {
  const key = manifestKey(datasetId);
  const manifest = decodeManifest(key, await verifiedRead(blobs, key, manifestSha256));
  return new ShardedDataset(manifest, new PartReader(blobs, datasetPrefix(datasetId)));
}

export class ShardedDataset {
  readonly manifest: DatasetManifest;
  readonly #parts: PartReader;

  constructor(manifest: DatasetManifest, parts: PartReader) {
    this.manifest = manifest;
    this.#parts = parts;
  }

  /** A part beside the shards. @throws DataLoss when it is not what the manifest says */
  async readPart(name: string): Promise<Uint8Array> {
    const part = this.manifest.otherParts.find((other) => other.name === name);
    if (part === undefined) throw new OutOfRange("NO_SUCH_PART", `the manifest names no part ${name}`, { name });
    return await this.#parts.readWhole(part);
  }

  /**
   * The ids of these rows, in the order of `rowIds`; neighbours are read at once.
   * @param rowIds indices in the split, from 0, in the order in which rows were appended
   * @throws OutOfRange; DataLoss naming the part, whichever of its bits is wrong
   */
  async readRows(split: SplitName, rowIds: readonly number[]): Promise<Uint16Array[]> {
    const runs = await this.#runsOf(split, rowIds);
    const rows: Uint16Array[] = [];
    for (let start = 0; start < runs.length; start += parallelReads) {
      const read = await Promise.all(runs.slice(start, start + parallelReads).map((run) => this.#readRun(run)));
      for (const run of read) rows.push(...run);
    }
    return rows;
  }

  async #runsOf(split: SplitName, rowIds: readonly number[]): Promise<Run[]> {
    const runs: Run[] = [];
    for (const rowId of rowIds) {
      const { shard, row } = this.#locate(split, rowId);
      const last = runs.at(-1);
      const isNeighbour = last?.shard === shard && last.firstRow + last.rows === row;
      if (isNeighbour && tokensFrom(last.index, last.firstRow, last.rows + 1) <= maximumRunTokens) last.rows += 1;
      else {
        const index = await this.#parts.rowIndex(shard.rowsPart, shard.rows);
        runs.push({ shard, index, firstRow: row, rows: 1 });
      }
    }
    return runs;
  }

  #locate(split: SplitName, rowId: number): { readonly shard: ShardDescription; readonly row: number } {
    let first = 0;
    for (const shard of this.manifest.splits[split].shards) {
      if (Number.isInteger(rowId) && rowId >= first && rowId < first + shard.rows) return { shard, row: rowId - first };
      first += shard.rows;
    }
    throw new OutOfRange("NO_SUCH_ROW", `${split} has the rows 0 to ${first - 1}, not ${rowId}`, {
      row: String(rowId),
    });
  }

  async #readRun({ shard, index, firstRow, rows }: Run): Promise<Uint16Array[]> {
    const { start } = index.place(firstRow);
    const tokens = tokensFrom(index, firstRow, rows);
    const bytes = await this.#parts.readRange(shard.tokensPart, { offset: 2 * start, length: 2 * tokens });
    return Array.from({ length: rows }, (_, count) => {
      const place = index.place(firstRow + count);
      const from = 2 * (place.start - start);
      return verifiedRow(shard.tokensPart.name, firstRow + count, place, bytes.subarray(from, from + 2 * place.length));
    });
  }
}

function tokensFrom(index: RowIndex, firstRow: number, rows: number): number {
  const last = index.place(firstRow + rows - 1);
  return last.start + last.length - index.place(firstRow).start;
}
