import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { Unavailable } from "@pretrain/errors";
import { Dataset_State } from "@pretrain/proto";
import { until } from "@pretrain/testing";
import { begun, type PackedRecord } from "../dataset/dataset-changes.ts";
import { dataShard } from "../test-support/data-shard.ts";
import { memoryRecords } from "../test-support/memory-records.ts";
import { jsonl, packingSettings } from "../test-support/packing-settings.ts";
import { keepTakingUp } from "./keep-taking-up.ts";

const book = packingSettings({ path: "book.jsonl" });

/** A service that finds a dataset which an ended process accepted, and the file that belongs to it. */
async function withLeftDataset(t: TestContext, change: (record: PackedRecord) => PackedRecord) {
  const earlier = dataShard(t);
  const later = dataShard(t);
  for (const shard of [earlier, later]) shard.write("book.jsonl", jsonl("one", "two"));
  const packed = await earlier.packed(book);
  const { record } = await earlier.records.named(packed.name);
  const pending = { ...record, dataset: { ...record.dataset, state: Dataset_State.PENDING } };
  await later.records.create(change(pending));
  return { ...later, name: packed.name, manifestSha256: packed.manifestSha256 };
}

for (const [state, change] of [
  ["PENDING", (record: PackedRecord) => record],
  ["PACKING", begun],
] as const) {
  test(`a dataset that an ended process left ${state} is packed by the next one, to the same bytes`, async (t) => {
    const shard = await withLeftDataset(t, change);
    await shard.queue.resume();
    const { state: end, manifestSha256 } = await shard.ended(shard.name);
    assert.deepEqual([end, manifestSha256], [Dataset_State.READY, shard.manifestSha256]);
  });
}

test("a dataset whose file is gone, or another, when its turn comes is FAILED with the reason", async (t) => {
  const gone = await withLeftDataset(t, (record) => record);
  rmSync(join(gone.root, "book.jsonl"));
  await gone.queue.resume();
  assert.equal((await gone.ended(gone.name)).error, "book.jsonl does not exist in a data root");

  const changed = await withLeftDataset(t, (record) => record);
  changed.write("book.jsonl", jsonl("one", "six"));
  await changed.queue.resume();
  assert.equal((await changed.ended(changed.name)).error, "book.jsonl was changed while it was packed; pack it again");
});

test("while the broker is away finished work waits, and is written down when it is back", async (t) => {
  let silent = 0;
  const records = memoryRecords(async () => {
    if (silent-- > 0) throw new Unavailable("BROKER_SILENT", "no answer");
  });
  const shard = dataShard(t, records);
  shard.write("book.jsonl", jsonl("one", "two"));
  const { name } = await shard.pack(book);
  silent = 2; // of beginning; then of what comes next
  assert.equal((await shard.ended(name)).state, Dataset_State.READY);
});

test("a stop ends packing at once and leaves the dataset PACKING; the next start completes it", async (t) => {
  const shard = dataShard(t);
  shard.write("book.jsonl", jsonl(...Array.from({ length: 30_000 }, (_, index) => `a row with the number ${index}`)));
  const { name } = await shard.pack(book);
  const stateOf = async () => (await shard.records.named(name)).record.dataset.state;
  await until(async () => (await stateOf()) === Dataset_State.PACKING);
  await shard.queue[Symbol.asyncDispose]();
  assert.equal(await stateOf(), Dataset_State.PACKING);
  await using next = shard.openQueue();
  await next.resume();
  const { state, trainRows } = await shard.ended(name);
  assert.deepEqual([state, trainRows], [Dataset_State.READY, 30_000n]);
});

test("what another process left in the middle is taken up when nothing has been heard of it for a while, and not before", async (t) => {
  const shard = await withLeftDataset(t, begun);
  const stateOf = async () => (await shard.records.named(shard.name)).record.dataset.state;
  const looks = { records: shard.records, queue: shard.queue, log: shard.log, lookEveryMs: 5, silenceMs: 200 };
  const isAlive = setInterval(() => void shard.records.touch(shard.name), 20);
  {
    await using _watching = keepTakingUp({ ...looks, silenceMs: 60_000 });
    await pause(100);
    assert.equal(await stateOf(), Dataset_State.PACKING); // the other one lives
  }
  clearInterval(isAlive);
  await using _watching = keepTakingUp(looks);
  const { state, manifestSha256 } = await shard.ended(shard.name);
  assert.deepEqual([state, manifestSha256], [Dataset_State.READY, shard.manifestSha256]);
});

/** Records, and how often the packing of one of them began: progress is written, too, as often as the machine is slow. */
function countingBegins() {
  const begins: string[] = [];
  const records = memoryRecords(undefined, ({ dataset }) => {
    if (dataset?.state === Dataset_State.PACKING && dataset.bytesRead === 0n) begins.push(dataset.name);
  });
  return { records, begins };
}

test("two processes that have the same dataset waiting pack it once", async (t) => {
  const { records, begins } = countingBegins();
  const shard = dataShard(t, records);
  shard.write("book.jsonl", jsonl("one", "two"));
  const { name } = await shard.pack(book);
  await using other = shard.openQueue();
  other.enqueue(name);
  assert.equal((await shard.ended(name)).state, Dataset_State.READY);
  await other[Symbol.asyncDispose]();
  assert.deepEqual(shard.outcomes, ["ready"]);
  assert.deepEqual(begins, [name]);
});

test("datasets are packed one after the other, each once however often it is put in", async (t) => {
  const { records, begins } = countingBegins();
  const shard = dataShard(t, records);
  const names: string[] = [];
  for (const file of ["a.jsonl", "b.jsonl", "c.jsonl"]) {
    shard.write(file, jsonl(file));
    const { name } = await shard.pack(packingSettings({ path: file }));
    shard.queue.enqueue(name);
    names.push(name);
  }
  for (const name of names) assert.equal((await shard.ended(name)).state, Dataset_State.READY);
  assert.deepEqual(begins, names);
});

test("a full disk postpones packing, whatever shard it hits; when there is room the dataset is the same one", async (t) => {
  const running = new DisposableStack();
  t.after(() => running.dispose()); // before the folder's own: hooks run in the order of registration
  const [shard, roomy] = [dataShard(t), dataShard(t)];
  const text = jsonl(
    ...Array.from({ length: 4000 }, (_, index) => `a row of a book that does not fit, number ${index}`),
  );
  for (const { write } of [shard, roomy]) write("book.jsonl", text);
  const expected = await roomy.packed(book);
  mkdirSync(shard.blobsFolder, { recursive: true });
  running.defer(() => void spawnSync("/bin/umount", ["--lazy", shard.blobsFolder]));
  try {
    execFileSync("/bin/mount", ["-t", "tmpfs", "-o", "size=48k", "tmpfs", shard.blobsFolder], { stdio: "ignore" });
  } catch {
    return t.skip("this process may not mount a small file system");
  }
  const { name } = await shard.pack(book);
  await until(() => shard.outcomes.length >= 2, { timeoutMs: 60_000 });
  assert.deepEqual(new Set(shard.outcomes), new Set(["postponed"]));
  assert.equal((await shard.records.named(name)).record.dataset.state, Dataset_State.PACKING);
  execFileSync("/bin/mount", ["-o", "remount,size=64m", shard.blobsFolder], { stdio: "ignore" });
  const { state, manifestSha256 } = await shard.ended(name);
  assert.deepEqual([state, manifestSha256], [Dataset_State.READY, expected.manifestSha256]);
});
