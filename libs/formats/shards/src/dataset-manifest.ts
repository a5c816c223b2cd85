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
 * @param bytes whose digest was verified: what is wrong here was written wrong, by a later version, or by somebody else
 * @throws DataLoss naming the manifest
 */
export function decodeManifest(key: string, bytes: Uint8Array): DatasetManifest {
  const manifest = parsed(key, bytes);
  if (!isOfThisVersion(manifest)) {
    throw new DataLoss(
      "UNKNOWN_FORMAT",
      `${key} is no manifest of version 1; a later version of this program wrote it`,
      { key },
    );
  }
  if (!isWhole(manifest)) {
    throw new DataLoss("INCONSISTENT_MANIFEST", `${key} lacks what a manifest says, or says it in another kind`, {
      key,
    });
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

function parsed(key: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new DataLoss("UNKNOWN_FORMAT", `${key} is no JSON in UTF-8`, { key }, { cause });
  }
}

function isOfThisVersion(value: unknown): boolean {
  return isGroup(value) && value["format"] === "pretrain-dataset" && value["version"] === 1;
}

/** A digest says that nobody has changed the file since it was named, not that this program wrote it. */
function isWhole(value: unknown): value is DatasetManifest {
  if (!isGroup(value)) return false;
  const { identity, splits, otherParts } = value;
  return (
    isIdentity(identity) &&
    isGroup(splits) &&
    splitNames.every((name) => isSplit(splits[name])) &&
    isListOf(otherParts, isPart)
  );
}

function isIdentity(value: unknown): boolean {
  if (!isGroup(value)) return false;
  const { tokenizerKey, tokenizerSha256, vocabularySize, maximumSequenceLength } = value;
  const texts = [tokenizerKey, tokenizerSha256].every((text) => typeof text === "string");
  return texts && isCount(vocabularySize) && isCount(maximumSequenceLength);
}

function isSplit(value: unknown): boolean {
  return isGroup(value) && isCount(value["rows"]) && isCount(value["tokens"]) && isListOf(value["shards"], isShard);
}

function isShard(value: unknown): boolean {
  if (!isGroup(value)) return false;
  const { rows, tokens, tokensPart, rowsPart } = value;
  return isCount(rows) && isCount(tokens) && isPart(tokensPart) && isPart(rowsPart);
}

/** The name becomes the key of a blob, which lies nowhere else than in the dataset's folder. */
function isPart(value: unknown): boolean {
  if (!isGroup(value)) return false;
  const { name, sizeBytes, sha256 } = value;
  return isCount(sizeBytes) && typeof sha256 === "string" && typeof name === "string" && partPattern.test(name);
}

const partPattern = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,100}(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]{0,100})?$/;

function isListOf(value: unknown, isOne: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isOne);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isGroup(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
