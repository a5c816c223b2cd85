/**
 * The manifest of a dataset: what the ids mean, and the size and SHA-256 of every part. It is written last, so a dataset
 * with a manifest is complete; its own SHA-256 covers every byte. Nothing in it depends on where or when it was made: the
 * same text with the same settings gives the same manifest, byte for byte.
 *
 *     datasets/<id>/train/00000.tokens   ids of all rows, one after the other, unsigned 16-bit little-endian
 *     datasets/<id>/train/00000.rows     for each row where it ends in that file and its CRC-32
 *     datasets/<id>/validation/…
 *     datasets/<id>/manifest.json
 */
import { DataLoss } from "@pretrain/errors";

export const splitNames = ["train", "validation"] as const;
export type SplitName = (typeof splitNames)[number];

/** One blob of the dataset; `name` is its key below `datasets/<id>/`. */
export interface Part {
  readonly name: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

export interface ShardDescription {
  readonly rows: number;
  readonly tokens: number;
  readonly tokensPart: Part;
  readonly rowsPart: Part;
}

export interface SplitSummary {
  readonly rows: number;
  readonly tokens: number;
}

/** What the numbers in the shards mean. */
export interface DatasetIdentity {
  /** Blob key of the tokenizer.json. */
  readonly tokenizerKey: string;
  readonly tokenizerSha256: string;
  readonly vocabularySize: number;
  /** No row is longer, in tokens. */
  readonly maximumSequenceLength: number;
}

export interface DatasetManifest {
  readonly format: "pretrain-dataset";
  readonly version: 1;
  readonly identity: DatasetIdentity;
  readonly splits: Readonly<Record<SplitName, SplitSummary & { readonly shards: readonly ShardDescription[] }>>;
  /** Parts beside the shards, such as the report of packing. */
  readonly otherParts: readonly Part[];
}

/** All blobs of a dataset, and nothing else, have keys that begin so. */
export function datasetPrefix(datasetId: string): string {
  return `datasets/${datasetId}/`;
}

export function manifestKey(datasetId: string): string {
  return `${datasetPrefix(datasetId)}manifest.json`;
}

export function encodeManifest(manifest: DatasetManifest): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(manifest, null, 1)}\n`);
}

/**
 * @param bytes whose digest was verified: what is wrong here was written wrong, or by a later version
 * @throws DataLoss naming the manifest
 */
export function decodeManifest(key: string, bytes: Uint8Array): DatasetManifest {
  const manifest: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  if (!isManifest(manifest)) {
    throw new DataLoss(
      "UNKNOWN_FORMAT",
      `${key} is no manifest of version 1; a later version of this program wrote it`,
      { key },
    );
  }
  for (const split of splitNames) {
    const { rows, tokens, shards } = manifest.splits[split];
    if (rows !== sum(shards.map((shard) => shard.rows)) || tokens !== sum(shards.map((shard) => shard.tokens))) {
      throw new DataLoss(
        "INCONSISTENT_MANIFEST",
        `${key}: the shards of ${split} do not add up to its rows and tokens`,
        { key },
      );
    }
  }
  return manifest;
}

/** The digest vouches for the rest: only this program writes this format and version. */
function isManifest(value: unknown): value is DatasetManifest {
  if (typeof value !== "object" || value === null || !("format" in value) || !("version" in value)) return false;
  return value.format === "pretrain-dataset" && value.version === 1;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
