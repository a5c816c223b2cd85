import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { BlobStore } from "@pretrain/blobs";
import { NotFound } from "@pretrain/errors";
import { createLog } from "@pretrain/observability";
import { datasetIdOfName } from "../dataset/dataset-identity.ts";
import { KeptAnalyses } from "../stores/kept-analyses.ts";
import { dataShard } from "../test-support/data-shard.ts";
import { jsonl, packingSettings } from "../test-support/packing-settings.ts";
import { DatasetAnalyses } from "./dataset-analyses.ts";

/** One token for each byte: 256, and three markers. */
const trainVocabularySize = 259;
const files = { path: "book.jsonl", validationPath: "held-out.jsonl" };
const book = packingSettings({ ...files, trainVocabularySize, maxSequenceLength: 64 });
const sentence = "the whale swims below the ship at night";

/** A service with one packed book, whose first held-out row is in the training text; `analyses` as its next process has them. */
async function withBook(t: TestContext) {
  const shard = dataShard(t);
  shard.write("book.jsonl", jsonl("call me Ishmael", sentence));
  shard.write("held-out.jsonl", jsonl(sentence, "nothing of this was read"));
  const { name, manifestSha256 } = await shard.packed(book);
  const written: string[] = [];
  const put: BlobStore["put"] = (key, content) => (written.push(key), shard.blobs.put(key, content));
  const blobs = new Proxy(shard.blobs, {
    get: (store, method: keyof BlobStore) => (method === "put" ? put : store[method].bind(store)),
  });
  const analyses = () =>
    new DatasetAnalyses({ ...shard, blobs, log: createLog("data-shard-test", "fatal" as "error") });
  const file = join(shard.blobsFolder, "datasets", datasetIdOfName(name), "analysis.json");
  return { ...shard, name, manifestSha256, written, analyses, file };
}

test("an analysis says of which dataset it is, how often each token was trained on, and what of the validation text was", async (t) => {
  const { name, manifestSha256, analyses, ready } = await withBook(t);
  const analysis = await analyses().of(name);
  assert.deepEqual([analysis.dataset, analysis.datasetSha256], [name, manifestSha256]);
  const { shards, dataset } = await ready.open(name);
  assert.equal(analysis.trainTokenCounts.length, dataset.vocabularySize);
  const counted = analysis.trainTokenCounts.reduce((sum, count) => sum + count);
  assert.equal(counted, BigInt(shards.manifest.splits.train.tokens));
  assert.equal(analysis.trainTokenCounts[1], 2n); // begin markers: one a row
  const { overlap } = analysis;
  assert.deepEqual(
    [overlap?.validationRows, overlap?.identicalRows, overlap?.rowsWithOverlap, overlap?.runTokens],
    [2n, 1n, 1n, 13],
  );
});

test("callers at the same time share one computation; it is kept, and the next process computes nothing", async (t) => {
  const { name, written, analyses } = await withBook(t);
  const first = analyses();
  const answers = await Promise.all(Array.from({ length: 8 }, () => first.of(name)));
  answers.push(await first.of(name), await analyses().of(name));
  for (const answer of answers) assert.deepEqual(answer, answers[0]);
  assert.deepEqual(written, [`datasets/${datasetIdOfName(name)}/analysis.json`]);
});

test("one that is damaged or of another dataset is never believed: it is computed again, to the same numbers", async (t) => {
  const { name, blobs, analyses, file } = await withBook(t);
  const sound = await analyses().of(name);
  const bytes = readFileSync(file);
  const damages = Array.from({ length: 24 }, (_, index) => {
    const damaged = Buffer.from(bytes);
    const at = Math.floor((index * (bytes.length - 1)) / 24);
    damaged.writeUInt8(damaged.readUInt8(at) ^ (1 << (index & 7)), at);
    return damaged;
  });
  for (const content of [...damages, bytes.subarray(0, 100), Buffer.alloc(0)]) {
    writeFileSync(file, content);
    assert.deepEqual(await analyses().of(name), sound);
    assert.deepEqual(readFileSync(file), bytes);
  }
  await new KeptAnalyses(blobs).write(datasetIdOfName(name), { ...sound, datasetSha256: "0".repeat(64) });
  assert.deepEqual(await analyses().of(name), sound);
});

test("an analysis of an earlier version is replaced", async (t) => {
  const { name, analyses, file, written } = await withBook(t);
  await analyses().of(name);
  writeFileSync(file, readFileSync(file, "utf8").replace('"version":1', '"version":0'));
  await analyses().of(name);
  assert.equal(written.length, 2);
});

test("a dataset that is not READY is FAILED_PRECONDITION, one that nobody packed NOT_FOUND, a damaged one DATA_LOSS", async (t) => {
  const { name, analyses, records, blobsFolder } = await withBook(t);
  await assert.rejects(analyses().of("datasets/none"), NotFound);
  const path = join(blobsFolder, "datasets", datasetIdOfName(name), "train/00000.tokens");
  const bytes = readFileSync(path);
  bytes.writeUInt8(bytes.readUInt8(3) ^ 1, 3);
  writeFileSync(path, bytes);
  await assert.rejects(analyses().of(name), { reason: "PART_DAMAGED" });
  await records.change(name, (record) => ({ ...record, dataset: { ...record.dataset, state: 2 } }));
  await assert.rejects(analyses().of(name), { reason: "DATASET_STATE" });
});

test("a stop ends the computation with UNAVAILABLE and keeps nothing of it", async (t) => {
  const { name, analyses, file } = await withBook(t);
  const stopped = analyses();
  const refused = assert.rejects(stopped.of(name), { reason: "SHUTTING_DOWN" });
  stopped[Symbol.dispose]();
  await refused;
  assert.equal(statSync(file, { throwIfNoEntry: false }), undefined);
});
