/**
 * Writes a dataset row by row. At most one shard of each split is held in memory. A crash leaves parts without a manifest,
 * which is no dataset; packing again writes the same parts over them.
 */
import assert from "node:assert/strict";
import type { BlobStore, StoredBlob } from "@pretrain/blobs";
import {
  type DatasetIdentity,
  type DatasetManifest,
  datasetPrefix,
  encodeManifest,
  manifestKey,
  type Part,
  type ShardDescription,
  type SplitName,
  type SplitSummary,
} from "./dataset-manifest.ts";
import { bytesOfIds, encodeRowIndex } from "./row-index.ts";

const defaultShardBytes = 16 * 2 ** 20;

export interface PackedDataset {
  readonly manifestSha256: string;
  readonly splits: Readonly<Record<SplitName, SplitSummary>>;
}

/** The rows of one split that are in no shard yet, and the shards that are written. */
interface OpenSplit {
  rows: Uint16Array[];
  tokens: number;
  readonly shards: ShardDescription[];
}

export class ShardWriter {
  readonly #blobs: BlobStore;
  readonly #datasetId: string;
  readonly #shardTokens: number;
  readonly #splits: Readonly<Record<SplitName, OpenSplit>> = {
    train: { rows: [], tokens: 0, shards: [] },
    validation: { rows: [], tokens: 0, shards: [] },
  };
  readonly #otherParts: Part[] = [];

  /** @param shardBytes largest size of a shard's token file; tests make it small */
  constructor(
    blobs: BlobStore,
    datasetId: string,
    { shardBytes = defaultShardBytes }: { readonly shardBytes?: number } = {},
  ) {
    this.#blobs = blobs;
    this.#datasetId = datasetId;
    this.#shardTokens = Math.floor(shardBytes / 2);
  }

  /**
   * Adds a row at the end of a split. Wait for it: a full shard is written before more is taken.
   * @param ids at least one; the writer keeps the array, so it must not be changed any more
   */
  async append(splitName: SplitName, ids: Uint16Array): Promise<void> {
    assert.ok(ids.length > 0, "a row without tokens");
    const split = this.#splits[splitName];
    if (split.rows.length > 0 && split.tokens + ids.length > this.#shardTokens) await this.#writeShard(splitName);
    split.rows.push(ids);
    split.tokens += ids.length;
  }

  /** Adds a blob beside the shards that the manifest vouches for too. */
  async addPart(name: string, bytes: Uint8Array): Promise<void> {
    this.#otherParts.push(await this.#put(name, bytes));
  }

  /** Writes what is left and then the manifest: from then on, and only then, the dataset is there. */
  async finish(identity: DatasetIdentity): Promise<PackedDataset> {
    for (const splitName of ["train", "validation"] as const) {
      if (this.#splits[splitName].rows.length > 0) await this.#writeShard(splitName);
    }
    const splits = { train: summary(this.#splits.train.shards), validation: summary(this.#splits.validation.shards) };
    const manifest: DatasetManifest = {
      format: "pretrain-dataset",
      version: 1,
      identity,
      splits: {
        train: { ...splits.train, shards: this.#splits.train.shards },
        validation: { ...splits.validation, shards: this.#splits.validation.shards },
      },
      otherParts: this.#otherParts,
    };
    const stored = await this.#blobs.put(manifestKey(this.#datasetId), encodeManifest(manifest));
    return { manifestSha256: stored.sha256, splits };
  }

  async #writeShard(splitName: SplitName): Promise<void> {
    const split = this.#splits[splitName];
    const name = `${splitName}/${String(split.shards.length).padStart(5, "0")}`;
    const { rows, tokens } = split;
    split.rows = [];
    split.tokens = 0;
    const tokensPart = await this.#put(`${name}.tokens`, joined(rows, tokens));
    const rowsPart = await this.#put(`${name}.rows`, encodeRowIndex(rows));
    split.shards.push({ rows: rows.length, tokens, tokensPart, rowsPart });
  }

  async #put(name: string, bytes: Uint8Array): Promise<Part> {
    const { sizeBytes, sha256 }: StoredBlob = await this.#blobs.put(datasetPrefix(this.#datasetId) + name, bytes);
    return { name, sizeBytes, sha256 };
  }
}

function joined(rows: readonly Uint16Array[], tokens: number): Uint8Array {
  const ids = new Uint16Array(tokens);
  let offset = 0;
  for (const row of rows) {
    ids.set(row, offset);
    offset += row.length;
  }
  return bytesOfIds(ids);
}

function summary(shards: readonly ShardDescription[]): SplitSummary {
  return shards.reduce((total, { rows, tokens }) => ({ rows: total.rows + rows, tokens: total.tokens + tokens }), {
    rows: 0,
    tokens: 0,
  });
}
