import assert from "node:assert/strict";
import { readdirSync, readFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import { type BlobStore, openBlobs } from "@pretrain/blobs";
import { DataLoss, NotFound, OutOfRange } from "@pretrain/errors";
import { temporaryDirectory } from "@pretrain/testing";
import fc from "fast-check";
import { openShards, ShardWriter } from "./index.ts";

const identity = {
  tokenizerKey: "tokenizers/x.json",
  tokenizerSha256: "00",
  vocabularySize: 6400,
  maximumSequenceLength: 512,
};
const ids = (...numbers: readonly number[]) => Uint16Array.from(numbers);

interface Folder {
  readonly blobs: BlobStore;
  readonly root: string;
}

function folder(t: TestContext): Folder {
  const root = temporaryDirectory(t);
  return { blobs: openBlobs(pathToFileURL(root).href), root };
}

async function pack(
  blobs: BlobStore,
  train: readonly Uint16Array[],
  validation: readonly Uint16Array[],
  shardBytes: number,
) {
  const writer = new ShardWriter(blobs, "book", { shardBytes });
  for (const row of train) await writer.append("train", row);
  for (const row of validation) await writer.append("validation", row);
  await writer.addPart("report.json", Buffer.from("{}"));
  return await writer.finish(identity);
}

test("the bytes on the disk are the ids of all rows, little-endian, without padding, and an index of ends and checksums", async (t) => {
  const { blobs, root } = folder(t);
  const packed = await pack(blobs, [ids(1, 258, 2), ids(1, 2)], [ids(65_535)], 1000);
  assert.deepEqual(packed.splits, { train: { rows: 2, tokens: 5 }, validation: { rows: 1, tokens: 1 } });
  const file = (name: string) => [...readFileSync(join(root, "datasets/book", name))];
  assert.deepEqual(file("train/00000.tokens"), [1, 0, 2, 1, 2, 0, 1, 0, 2, 0]);
  assert.deepEqual(file("validation/00000.tokens"), [255, 255]);
  const index = new DataView(Uint8Array.from(file("train/00000.rows")).buffer);
  assert.deepEqual([index.byteLength, index.getUint32(0, true), index.getUint32(8, true)], [16, 3, 5]);
  assert.equal(index.getUint32(12, true), 0xabcedafb); // CRC-32 of 01 00 02 00
  assert.deepEqual(readdirSync(join(root, "datasets/book")), ["manifest.json", "report.json", "train", "validation"]);
});

test("any rows in any order come back as they were written, across shards of any size", async (t) => {
  const row = fc.uint16Array({ minLength: 1, maxLength: 9 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 2, max: 100 }),
      fc.array(fc.nat(), { maxLength: 60 }),
      async (rows, shardBytes, picks) => {
        const { blobs } = folder(t);
        const { manifestSha256 } = await pack(blobs, rows, [], shardBytes);
        const dataset = await openShards(blobs, "book", manifestSha256);
        const rowIds = picks.map((pick) => pick % rows.length);
        assert.deepEqual(
          await dataset.readRows("train", rowIds),
          rowIds.map((rowId) => rows[rowId]),
        );
        const all = await dataset.readRows("train", [...rows.keys()]);
        assert.deepEqual(all, rows);
        for (const shard of dataset.manifest.splits.train.shards) {
          assert.ok(shard.tokensPart.sizeBytes <= shardBytes || shard.rows === 1);
        }
      },
    ),
    { numRuns: 15 },
  );
});

test("the same rows give the same manifest, and packing again over an interrupted attempt changes nothing", async (t) => {
  const [first, second] = [folder(t), folder(t)];
  const rows = [ids(1, 5, 2), ids(1, 6, 7, 2), ids(1, 2)];
  const { manifestSha256 } = await pack(first.blobs, rows, [ids(3)], 8);
  const interrupted = new ShardWriter(second.blobs, "book", { shardBytes: 8 });
  for (const row of [...rows, ids(9)]) await interrupted.append("train", row);
  await assert.rejects(openShards(second.blobs, "book", manifestSha256), NotFound); // parts alone are no dataset
  assert.equal((await pack(second.blobs, rows, [ids(3)], 8)).manifestSha256, manifestSha256);
});

test("a row or part that does not exist is OUT_OF_RANGE, an empty split has no rows", async (t) => {
  const { blobs } = folder(t);
  const { manifestSha256 } = await pack(blobs, [ids(1, 2)], [], 100);
  const dataset = await openShards(blobs, "book", manifestSha256);
  assert.deepEqual(await dataset.readRows("validation", []), []);
  assert.deepEqual(await dataset.readPart("report.json"), Uint8Array.from(Buffer.from("{}")));
  for (const rowId of [-1, 1, 0.5]) await assert.rejects(dataset.readRows("train", [rowId]), OutOfRange);
  await assert.rejects(dataset.readRows("validation", [0]), OutOfRange);
  await assert.rejects(dataset.readPart("other.json"), OutOfRange);
});

const parts = [
  "train/00000.tokens",
  "train/00000.rows",
  "train/00001.tokens",
  "train/00001.rows",
  "report.json",
  "manifest.json",
];

/** Packs a dataset of two shards once; then `damage` changes its files, it is read whole, and the files are put back. */
async function damageable(t: TestContext) {
  const { blobs, root } = folder(t);
  const { manifestSha256 } = await pack(blobs, [ids(1, 5, 6, 2), ids(1, 7, 8, 2)], [], 8);
  const path = (part: string) => join(root, "datasets/book", part);
  const good = new Map(parts.map((part) => [part, readFileSync(path(part))]));
  return async (damage: (path: (part: string) => string) => void): Promise<unknown> => {
    damage(path);
    try {
      const dataset = await openShards(blobs, "book", manifestSha256);
      await dataset.readPart("report.json");
      await dataset.readRows("train", [0, 1]);
      return undefined;
    } catch (error) {
      return error;
    } finally {
      for (const [part, bytes] of good) writeFileSync(path(part), bytes);
    }
  };
}

function assertNames(error: unknown, ...possible: readonly string[]): void {
  assert.ok(error instanceof DataLoss, String(error));
  const { message } = error;
  assert.ok(
    possible.some((part) => message.includes(`datasets/book/${part}`)),
    message,
  );
}

test("every single flipped bit of every part is found before use, and the part named", async (t) => {
  const readDamaged = await damageable(t);
  for (const part of parts) {
    const sizeBytes = part === "manifest.json" ? 40 : part === "report.json" ? 2 : 8; // of the manifest: its first bytes
    for (let bit = 0; bit < 8 * sizeBytes; bit += part === "manifest.json" ? 13 : 3) {
      const error = await readDamaged((path) => {
        const bytes = readFileSync(path(part));
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        writeFileSync(path(part), bytes);
      });
      assertNames(error, part);
    }
  }
});

/** How many damages of each kind are tried. */
const damages = Number(process.env["PRETRAIN_FLIPS"] ?? 200);

test(`${damages} flipped bits and ${damages} cuts, each anywhere in a part taken at random: found before use, and the part named`, async (t) => {
  const readDamaged = await damageable(t);
  const placed = fc.tuple(fc.constantFrom(...parts), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }));
  const flip = (path: string, at: number) => {
    const bytes = readFileSync(path);
    const bit = Math.floor(at * bytes.length * 8);
    bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    writeFileSync(path, bytes);
  };
  const shorten = (path: string, at: number) => truncateSync(path, Math.floor(at * statSync(path).size));
  for (const damage of [flip, shorten]) {
    await fc.assert(
      fc.asyncProperty(placed, async ([part, at]) => {
        assertNames(await readDamaged((path) => damage(path(part), at)), part);
      }),
      { numRuns: damages },
    );
  }
});

test("a part that was cut short, emptied, swapped with another or lost is named", async (t) => {
  const readDamaged = await damageable(t);
  assert.equal(await readDamaged(() => undefined), undefined);
  for (const part of parts) {
    assertNames(await readDamaged((path) => truncateSync(path(part), 1)), part);
    assertNames(await readDamaged((path) => truncateSync(path(part), 0)), part);
  }
  for (const part of parts.slice(0, -1)) assertNames(await readDamaged((path) => rmSync(path(part))), part);
  const swap = (path: (part: string) => string, a: string, b: string) => {
    renameSync(path(a), path("x"));
    renameSync(path(b), path(a));
    renameSync(path("x"), path(b));
  };
  const shards = ["train/00000.tokens", "train/00001.tokens"] as const; // read at the same time: either is found first
  assertNames(await readDamaged((path) => swap(path, ...shards)), ...shards);
  assertNames(await readDamaged((path) => swap(path, "train/00001.rows", "train/00000.tokens")), "train/00001.rows");
});

test("a row that changes on the disk after its part was verified is found by its checksum, and a repair is seen", async (t) => {
  const { blobs, root } = folder(t);
  const { manifestSha256 } = await pack(blobs, [ids(1, 5, 2), ids(1, 6, 2)], [], 100);
  const dataset = await openShards(blobs, "book", manifestSha256);
  await dataset.readRows("train", [0]);
  const path = join(root, "datasets/book/train/00000.tokens");
  const good = readFileSync(path);
  const bad = Uint8Array.from(good);
  bad[8] = 99;
  writeFileSync(path, bad);
  assert.deepEqual(await dataset.readRows("train", [0]), [ids(1, 5, 2)]);
  await assert.rejects(dataset.readRows("train", [1]), { reason: "ROW_DAMAGED" });
  const other = await openShards(blobs, "book", manifestSha256);
  await assert.rejects(other.readRows("train", [0]), { reason: "PART_DAMAGED" });
  writeFileSync(path, good);
  assert.deepEqual(await dataset.readRows("train", [1]), [ids(1, 6, 2)]);
  assert.deepEqual(await other.readRows("train", [0]), [ids(1, 5, 2)]);
});

test("a manifest of a later version is refused as such", async (t) => {
  const { blobs } = folder(t);
  const { sha256 } = await blobs.put(
    "datasets/book/manifest.json",
    Buffer.from(`{"format":"pretrain-dataset","version":2}`),
  );
  await assert.rejects(openShards(blobs, "book", sha256), { reason: "UNKNOWN_FORMAT" });
});

test("writing holds no more than a shard of each split in memory", async (t) => {
  const { blobs } = folder(t);
  const writer = new ShardWriter(blobs, "book", { shardBytes: 2 ** 18 });
  for (let row = 0; row < 2000; row += 1) await writer.append("train", new Uint16Array(512)); // 2 MB
  const { splits } = await writer.finish(identity);
  assert.deepEqual(splits.train, { rows: 2000, tokens: 2000 * 512 });
  let shards = 0;
  for await (const { key, sizeBytes } of blobs.list("datasets/book/train/")) {
    if (key.endsWith(".tokens")) shards += 1;
    assert.ok(sizeBytes <= 2 ** 18);
  }
  assert.equal(shards, 8); // 256 rows each
});
