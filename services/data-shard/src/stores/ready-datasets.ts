/** Complete datasets, opened once and kept, so that parts are verified once and not for every call. */
import type { BlobStore } from "@pretrain/blobs";
import { type Dataset, Split } from "@pretrain/proto";
import { openShards, type ShardedDataset, type SplitName } from "@pretrain/shards";
import { datasetIdOfName } from "../dataset/dataset-identity.ts";
import { expectReady } from "../dataset/lifecycle.ts";
import { type DatasetRecords, resourceOf } from "./dataset-records.ts";

const keptOpen = 16;

export class ReadyDatasets {
  readonly #records: DatasetRecords;
  readonly #blobs: BlobStore;
  readonly #open = new Map<string, ShardedDataset>();

  constructor(records: DatasetRecords, blobs: BlobStore) {
    this.#records = records;
    this.#blobs = blobs;
  }

  /** @throws NotFound; FailedPrecondition unless it is READY; DataLoss when its manifest is not the one that was written */
  async open(name: string): Promise<{ readonly dataset: Dataset; readonly shards: ShardedDataset }> {
    const dataset = resourceOf(await this.#records.named(name));
    expectReady(dataset);
    const known = this.#open.get(dataset.manifestSha256);
    const shards = known ?? (await openShards(this.#blobs, datasetIdOfName(name), dataset.manifestSha256));
    this.#open.delete(dataset.manifestSha256);
    this.#open.set(dataset.manifestSha256, shards); // the most recently used is the last
    const [oldest] = this.#open.keys();
    if (this.#open.size > keptOpen && oldest !== undefined) this.#open.delete(oldest);
    return { dataset, shards };
  }
}

/** The shards' name of a split. @param split one that the validation of requests let through */
export function splitNameOf(split: Split): SplitName {
  return split === Split.VALIDATION ? "validation" : "train";
}
