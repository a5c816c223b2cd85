import { type BlobStore, sha256Hex } from "@pretrain/blobs";
import { NotFound, OutOfRange } from "@pretrain/errors";
import type { FuzzTarget } from "@pretrain/testing";
import { type DatasetManifest, encodeManifest, manifestKey } from "./dataset-manifest.ts";
import { openShards } from "./open-shards.ts";
import { bytesOfIds, encodeRowIndex } from "./row-index.ts";

const rows = [Uint16Array.of(1, 5, 2), Uint16Array.of(1, 2)];
const tokens = Buffer.concat(rows.map(bytesOfIds));
const index = encodeRowIndex(rows);
const part = (name: string, bytes: Uint8Array) => ({ name, sizeBytes: bytes.length, sha256: sha256Hex(bytes) });
const nothing = new Uint8Array();
const report = { rows: 0, tokens: 0, shards: [] };

/** Whoever can write into the store can write a manifest: its digest says only that nobody has changed it since. */
export default {
  seeds: () => [manifestOf(index), joined(manifestOf(index), index)],
  dictionary: ["rowsPart", "tokensPart", "shards", "splits", "train", "validation", "otherParts", "rows", "tokens"],
  async take(bytes) {
    // An index of rows follows the manifest, behind a line of its own.
    const at = Buffer.from(bytes).indexOf("\n\n");
    const [manifest, rowIndex] = at < 0 ? [bytes, index] : [bytes.subarray(0, at), bytes.subarray(at + 2)];
    const store = storeOf(manifest, rowIndex);
    const named = new TextDecoder().decode(manifest).replaceAll(sha256Hex(index), sha256Hex(rowIndex));
    const whole = new TextEncoder().encode(named);
    store.set(manifestKey("book"), whole);
    const dataset = await openShards(readerOf(store), "book", sha256Hex(whole));
    await dataset.readRows("train", [1, 0]);
  },
} satisfies FuzzTarget;

function manifestOf(rowIndex: Uint8Array): Uint8Array {
  const shard = {
    rows: 2,
    tokens: 5,
    tokensPart: part("train/00000.tokens", tokens),
    rowsPart: part("train/00000.rows", rowIndex),
  };
  const identity = { tokenizerKey: "t.json", tokenizerSha256: "00", vocabularySize: 9, maximumSequenceLength: 8 };
  const manifest: DatasetManifest = {
    format: "pretrain-dataset",
    version: 1,
    identity,
    splits: { train: { rows: 2, tokens: 5, shards: [shard] }, validation: report },
    otherParts: [part("report.json", nothing)],
  };
  return encodeManifest(manifest);
}

function joined(manifest: Uint8Array, rowIndex: Uint8Array): Uint8Array {
  return new Uint8Array(Buffer.concat([manifest, Buffer.from("\n"), rowIndex]));
}

function storeOf(manifest: Uint8Array, rowIndex: Uint8Array): Map<string, Uint8Array> {
  return new Map([
    [manifestKey("book"), manifest],
    ["datasets/book/train/00000.tokens", tokens],
    ["datasets/book/train/00000.rows", rowIndex],
  ]);
}

/** As much of a store as a reader needs. @throws OutOfRange, NotFound as a store does */
function readerOf(store: ReadonlyMap<string, Uint8Array>): BlobStore {
  const whole = (key: string): Uint8Array => {
    const bytes = store.get(key);
    if (bytes === undefined) throw new NotFound("BLOB_NOT_FOUND", `there is no ${key.slice(0, 100)}`);
    return bytes;
  };
  const reader: Pick<BlobStore, "read" | "stream"> = {
    async read(key, range) {
      const bytes = whole(key);
      const { offset, length } = range ?? { offset: 0, length: bytes.length };
      if (offset >= 0 && length >= 0 && offset + length <= bytes.length) return bytes.subarray(offset, offset + length);
      throw new OutOfRange("RANGE_OUTSIDE", `${length} bytes from ${offset} on`);
    },
    async *stream(key) {
      yield whole(key);
    },
  };
  return reader as BlobStore;
}
