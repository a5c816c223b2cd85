import assert from "node:assert/strict";
import { appendFileSync, chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { AlreadyExists, FailedPrecondition, InvalidArgument, NotFound, OutOfRange } from "@pretrain/errors";
import {
  type Dataset,
  Dataset_State,
  GetDatasetReportRequestSchema,
  GetDatasetRequestSchema,
  ListDatasetsRequestSchema,
  ReadSequencesRequestSchema,
  Split,
  StreamBatchesRequestSchema,
  type StreamBatchesResponse,
} from "@pretrain/proto";
import { temporaryDirectory } from "@pretrain/testing";
import { dataShard } from "../test-support/data-shard.ts";
import { memoryRecords } from "../test-support/memory-records.ts";
import { jsonl, packingSettings } from "../test-support/packing-settings.ts";
import { getDataset } from "./get-dataset.ts";
import { getDatasetReport } from "./get-dataset-report.ts";
import { listDatasets } from "./list-datasets.ts";
import { readSequences } from "./read-sequences.ts";
import { streamBatches } from "./stream-batches.ts";

const book = packingSettings({ path: "book.jsonl" });
const texts = ["one", "two", "three", "four", "five", "six", "seven"];

test("PackDataset answers PENDING at once; the dataset becomes READY with its numbers and its report", async (t) => {
  const shard = dataShard(t);
  shard.write("book.jsonl", jsonl(...texts));
  const pending = await shard.pack(book);
  assert.match(pending.name, /^datasets\/book-[0-9a-f]{12}$/);
  assert.equal(pending.state, Dataset_State.PENDING);
  const ready = await shard.ended(pending.name);
  assert.deepEqual(
    [ready.state, ready.trainRows, ready.validationRows, ready.error],
    [Dataset_State.READY, 7n, 0n, ""],
  );
  const report = await getDatasetReport(shard)(create(GetDatasetReportRequestSchema, { name: ready.name }));
  assert.deepEqual(
    [report.dataset, report.sourceName, report.manifestSha256, report.rowsRead, report.durationSeconds],
    [ready.name, "book.jsonl", ready.manifestSha256, 7n, 0],
  );
  const read = await getDataset(shard)(create(GetDatasetRequestSchema, { name: ready.name }));
  assert.deepEqual({ ...read, etag: "" }, ready);
  assert.notEqual(read.etag, pending.etag);
});

test("the same file with the same settings is the same dataset, packed once, under whatever path", async (t) => {
  const shard = dataShard(t);
  shard.write("book.jsonl", jsonl(...texts));
  const first = await shard.packed(book);
  const again = await shard.pack(packingSettings({ path: join(shard.root, "book.jsonl") }));
  assert.deepEqual(
    [again.name, again.state, again.manifestSha256],
    [first.name, Dataset_State.READY, first.manifestSha256],
  );
  appendFileSync(join(shard.root, "book.jsonl"), jsonl("eight"));
  const changed = await shard.pack(book);
  assert.notEqual(changed.name, first.name);
});

test("a request_id gives its first answer, even when the file is gone; with other settings it is ALREADY_EXISTS", async (t) => {
  const shard = dataShard(t);
  shard.write("book.jsonl", jsonl(...texts));
  const first = await shard.pack(book, "r1");
  await shard.ended(first.name);
  rmSync(join(shard.root, "book.jsonl"));
  assert.equal((await shard.pack(book, "r1")).name, first.name);
  await assert.rejects(shard.pack(packingSettings({ path: "other.jsonl" }), "r1"), AlreadyExists);
});

test("two requests at the same moment, and somebody who writes in between, make one dataset", async (t) => {
  let interference = 3;
  const records = memoryRecords(async () => {
    if (interference-- > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  });
  const shard = dataShard(t, records);
  shard.write("book.jsonl", jsonl(...texts));
  const [one, two] = await Promise.all([shard.pack(book, "r1"), shard.pack(book, "r2")]);
  assert.equal(one.name, two.name);
  await shard.ended(one.name);
  const { record } = await shard.records.named(one.name);
  assert.deepEqual(record.requests.map(({ requestId }) => requestId).sort(), ["r1", "r2"]);
});

test("every field that is wrong is named at once, with the path as it was given", async (t) => {
  const shard = dataShard(t);
  const outside = temporaryDirectory(t);
  writeFileSync(join(outside, "secret.jsonl"), jsonl("secret"));
  mkdirSync(join(shard.root, "folder.jsonl"));
  symlinkSync(join(outside, "secret.jsonl"), join(shard.root, "link.jsonl"));
  symlinkSync(outside, join(shard.root, "linked"));
  symlinkSync("nowhere", join(shard.root, "broken.jsonl"));
  for (const [name, content] of [
    ["empty.jsonl", ""],
    ["book.jsonl", jsonl("a")],
    ["bad.json", "{}"],
  ] as const) {
    shard.write(name, content);
  }
  for (const [fields, message] of [
    [{ path: "missing.jsonl" }, "settings.path: missing.jsonl does not exist in a data root"],
    [{ path: "folder.jsonl" }, "settings.path: folder.jsonl is a directory, a file is needed"],
    [{ path: "empty.jsonl" }, "settings.path: empty.jsonl is empty"],
    [{ path: "broken.jsonl" }, "settings.path: broken.jsonl does not exist in a data root"],
    [{ path: "book.jsonl/x" }, "settings.path: book.jsonl/x does not exist in a data root"],
    ...["../secret.jsonl", "../../../etc/passwd", join(outside, "secret.jsonl"), "/etc/passwd", "a\0b", "."].map(
      (path) => [{ path }, `settings.path: ${path} is not inside a data root, where files are read from`] as const,
    ),
    ...["link.jsonl", "linked/secret.jsonl"].map(
      (path) => [{ path }, `settings.path: ${path} is a link that leads out of the data roots`] as const,
    ),
    [{ path: `${"x".repeat(300)}.jsonl` }, `settings.path: ${"x".repeat(300)}.jsonl has a name that is too long`],
    [
      { path: "missing.jsonl", validationPath: "empty.jsonl", tokenizerPath: "missing.json" },
      "settings.path: missing.jsonl does not exist in a data root; settings.validation_path: empty.jsonl is empty; settings.tokenizer_path: missing.json does not exist in a data root",
    ],
    [
      { path: "book.jsonl", validationPath: "book.jsonl", validationEvery: 20 },
      "settings.validation_every: 20 sets rows aside, but validation_path names a file of them; 0 is expected",
    ],
    [
      { path: "book.jsonl", trainVocabularySize: 258 },
      "settings.train_vocabulary_size: 258 entries cannot be trained; without tokenizer_path at least 259 are needed",
    ],
    [
      { path: "book.jsonl", tokenizerPath: "bad.json" },
      'settings.tokenizer_path: bad.json is no tokenizer that can be used: version: an absent value is not read here, only "1.0"',
    ],
  ] as const) {
    await assert.rejects(shard.pack(packingSettings(fields)), (error) => {
      assert.ok(error instanceof InvalidArgument, String(error));
      assert.equal(error.message, message);
      return true;
    });
  }
  assert.deepEqual(await shard.records.all(), [], "nothing was written down");
});

test("a file that may not be read is refused by name", {
  skip: process.getuid?.() === 0 && "root may read everything",
}, async (t) => {
  const shard = dataShard(t);
  shard.write("book.jsonl", jsonl("a"));
  chmodSync(join(shard.root, "book.jsonl"), 0);
  await assert.rejects(shard.pack(book), /settings\.path: book\.jsonl cannot be read or written: permission denied/);
});

test("a dataset that FAILED says why, and asking again packs it anew", async (t) => {
  const shard = dataShard(t);
  shard.write("book.jsonl", jsonl(...texts));
  writeFileSync(join(shard.root, "..", "blobs"), "a file where the store should be");
  const failed = await shard.packed(book);
  assert.equal(failed.state, Dataset_State.FAILED);
  assert.match(failed.error, /blobs.* is a file where a directory is needed|blobs.*EEXIST/);
  await assert.rejects(shard.ready.open(failed.name), FailedPrecondition);
  rmSync(join(shard.root, "..", "blobs"));
  assert.equal((await shard.packed(book)).state, Dataset_State.READY);
});

test("a READY dataset whose blobs are gone is packed again when it is asked for", async (t) => {
  const shard = dataShard(t);
  shard.write("book.jsonl", jsonl(...texts));
  const first = await shard.packed(book);
  rmSync(join(shard.root, "..", "blobs"), { recursive: true });
  const again = await shard.pack(book);
  assert.equal(again.state, Dataset_State.PENDING);
  const ready = await shard.ended(first.name);
  assert.deepEqual([ready.state, ready.manifestSha256], [Dataset_State.READY, first.manifestSha256]);
});

test("datasets are listed by name, page by page, and a token fits its request alone", async (t) => {
  const shard = dataShard(t);
  for (const name of ["c", "a", "b"]) {
    shard.write(`${name}.jsonl`, jsonl(name));
    await shard.packed(packingSettings({ path: `${name}.jsonl` }));
  }
  const list = (pageSize: number, pageToken = "") =>
    listDatasets(shard)(create(ListDatasetsRequestSchema, { pageSize, pageToken }));
  const shortNames = (datasets: readonly Dataset[]) => datasets.map(({ name }) => name[9]);
  const first = await list(2);
  assert.deepEqual(shortNames(first.datasets), ["a", "b"]);
  const second = await list(2, first.nextPageToken);
  assert.deepEqual([shortNames(second.datasets), second.nextPageToken], [["c"], ""]);
  assert.deepEqual(shortNames((await list(0)).datasets), ["a", "b", "c"]);
  for (const token of [
    "x",
    "bnVsbA",
    "W10",
    Buffer.from("[1]").toString("base64url"),
    Buffer.from('["a",1]').toString("base64url"),
  ]) {
    await assert.rejects(list(2, token), InvalidArgument);
  }
});

test("a name that nothing bears is NOT_FOUND", async (t) => {
  const shard = dataShard(t);
  const name = "datasets/none";
  await assert.rejects(getDataset(shard)(create(GetDatasetRequestSchema, { name })), NotFound);
  await assert.rejects(getDatasetReport(shard)(create(GetDatasetReportRequestSchema, { name })), NotFound);
  await assert.rejects(readSequences(shard)(create(ReadSequencesRequestSchema, { dataset: name })), NotFound);
});

type BatchesRequest = MessageInitShape<typeof StreamBatchesRequestSchema>;

async function batches(shard: ReturnType<typeof dataShard>, request: BatchesRequest): Promise<StreamBatchesResponse[]> {
  const stream = streamBatches({ ready: shard.ready, onBatch: () => undefined });
  const defaults = { split: Split.TRAIN, batchRows: 3, shuffle: "none", epochs: 1 };
  return await Array.fromAsync(stream(create(StreamBatchesRequestSchema, { ...defaults, ...request })));
}

test("batches hold rows, lengths and padded ids, little-endian, and each says where the next one begins", async (t) => {
  const shard = dataShard(t);
  shard.write("book.jsonl", jsonl("!", "!!", "!!!", '"'));
  const { name } = await shard.packed(
    packingSettings({ path: "book.jsonl", trainVocabularySize: 259, maxSequenceLength: 4 }),
  );
  const [first, second, ...rest] = await batches(shard, { dataset: name, epochs: 2 });
  assert.ok(first && second);
  // "!" is byte 0x21, the first of the alphabet: id 3. The third row lost its end marker.
  const ids = [1, 3, 2, 0, 1, 3, 3, 2, 1, 3, 3, 3];
  assert.deepEqual(
    [...first.tokens],
    ids.flatMap((id) => [id, 0]),
  );
  assert.deepEqual([first.epoch, first.rowIds, first.lengths], [1, [0n, 1n, 2n], [3, 4, 4]]);
  assert.deepEqual([first.next?.epoch, first.next?.row], [1, 3n]);
  assert.deepEqual([second.epoch, second.rowIds, [...second.tokens]], [1, [3n], [1, 0, 4, 0, 2, 0, 0, 0]]);
  assert.deepEqual([second.next?.epoch, second.next?.row], [2, 0n]);
  assert.deepEqual(
    rest.map(({ epoch, rowIds }) => [epoch, rowIds]),
    [
      [2, [0n, 1n, 2n]],
      [2, [3n]],
    ],
  );
  assert.deepEqual([rest.at(-1)?.next?.epoch, rest.at(-1)?.next?.row], [3, 0n]);
});

test("shuffled epochs hand out every row once, each in its own order, the same for the same seed", async (t) => {
  const shard = dataShard(t);
  shard.write("book.jsonl", jsonl(...Array.from({ length: 50 }, (_, index) => `row ${index}`)));
  const { name } = await shard.packed(book);
  const rowsOf = async (seed: number) => {
    const found = await batches(shard, { dataset: name, epochs: 2, batchRows: 8, shuffle: "per_epoch", seed });
    return [1, 2].map((epoch) =>
      found.filter((batch) => batch.epoch === epoch).flatMap(({ rowIds }) => rowIds.map(Number)),
    );
  };
  const [one, two] = await rowsOf(7);
  assert.ok(one && two);
  assert.deepEqual(
    one.toSorted((a, b) => a - b),
    Array.from({ length: 50 }, (_, index) => index),
  );
  assert.deepEqual(
    two.toSorted((a, b) => a - b),
    one.toSorted((a, b) => a - b),
  );
  assert.notDeepEqual(one, two);
  assert.deepEqual(await rowsOf(7), [one, two]);
  assert.notDeepEqual(await rowsOf(8), [one, two]);
});

test("a stream that begins at any batch's `next` goes on exactly as the first one did", async (t) => {
  const shard = dataShard(t);
  shard.write("book.jsonl", jsonl(...texts));
  const { name } = await shard.packed(book);
  const request = { dataset: name, epochs: 3, shuffle: "per_epoch", seed: 1 };
  const whole = await batches(shard, request);
  assert.equal(whole.length, 9);
  for (const [index, { next }] of whole.entries()) {
    assert.deepEqual(await batches(shard, { ...request, ...(next && { start: next }) }), whole.slice(index + 1));
  }
  assert.deepEqual(await batches(shard, { ...request, start: { epoch: 1, row: 7n } }), whole.slice(3)); // the end of epoch 1
  await assert.rejects(batches(shard, { ...request, start: { epoch: 1, row: 8n } }), OutOfRange);
});

test("a batch is made when it is taken, not before", async (t) => {
  const shard = dataShard(t);
  shard.write("book.jsonl", jsonl(...texts));
  const { name } = await shard.packed(book);
  let made = 0;
  const stream = streamBatches({ ready: shard.ready, onBatch: () => (made += 1) });
  const request = { dataset: name, split: Split.TRAIN, batchRows: 1, shuffle: "none", epochs: 1000 };
  const taken = stream(create(StreamBatchesRequestSchema, request));
  await taken.next();
  await taken.next();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(made, 1); // the second is counted when the third is asked for
  await taken.return(undefined);
});

test("an empty split, a batch above 64 MiB and a dataset that is not READY are refused before the first batch", async (t) => {
  const shard = dataShard(t);
  shard.write("book.jsonl", jsonl(...texts));
  const { name } = await shard.packed(packingSettings({ path: "book.jsonl", maxSequenceLength: 65_536 }));
  await assert.rejects(batches(shard, { dataset: name, split: Split.VALIDATION }), { reason: "EMPTY_SPLIT" });
  await assert.rejects(batches(shard, { dataset: name, batchRows: 513 }), (error) => {
    assert.ok(error instanceof InvalidArgument);
    assert.equal(error.violations[0]?.field, "batch_rows");
    return true;
  });
  assert.equal((await batches(shard, { dataset: name, batchRows: 512 })).length, 1);
});

test("sequences come in the order of the file, short ones are passed over and counted, page by page", async (t) => {
  const shard = dataShard(t);
  shard.write("book.jsonl", jsonl("a", "bbb", "c", "ddd", "eee", "f"));
  const { name } = await shard.packed(packingSettings({ path: "book.jsonl", trainVocabularySize: 259 }));
  const read = (fields: MessageInitShape<typeof ReadSequencesRequestSchema>) =>
    readSequences(shard)(create(ReadSequencesRequestSchema, { dataset: name, split: Split.TRAIN, ...fields }));
  const first = await read({ pageSize: 2, minimumLength: 5 });
  assert.deepEqual(
    first.sequences.map(({ rowId, tokens }) => [rowId, tokens.length]),
    [
      [1n, 5],
      [3n, 5],
    ],
  );
  assert.equal(first.skippedRows, 2n);
  const second = await read({ pageSize: 2, minimumLength: 5, pageToken: first.nextPageToken });
  assert.deepEqual(
    [second.sequences.map(({ rowId }) => rowId), second.skippedRows, second.nextPageToken],
    [[4n], 1n, ""],
  );
  const all = await read({});
  assert.deepEqual([all.sequences.length, all.skippedRows, all.nextPageToken], [6, 0n, ""]);
  assert.deepEqual(all.sequences[0]?.tokens.length, 3);
  await assert.rejects(read({ minimumLength: 4, pageToken: first.nextPageToken }), InvalidArgument);
  assert.deepEqual((await read({ split: Split.VALIDATION })).sequences, []);
});
