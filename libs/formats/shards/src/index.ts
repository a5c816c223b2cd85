/** A dataset on disk: rows of token ids in shards, readable in any order, refused by name when a single bit is wrong. */
export {
  type DatasetIdentity,
  type DatasetManifest,
  datasetPrefix,
  manifestKey,
  type SplitName,
  type SplitSummary,
} from "./dataset-manifest.ts";
export { openShards, type ShardedDataset } from "./open-shards.ts";
export { type RowOrder, rowOrder } from "./row-order.ts";
export { type PackedDataset, ShardWriter } from "./shard-writer.ts";
