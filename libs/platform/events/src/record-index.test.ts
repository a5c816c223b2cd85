/** The index of a bucket, against a real server: as new as the bucket, whatever becomes of broker and bucket. */
import assert from "node:assert/strict";
import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { startNatsServer } from "@pretrain/nats-server";
import { createLog } from "@pretrain/observability";
import { DatasetSchema } from "@pretrain/proto";
import { temporaryDirectory, until } from "@pretrain/testing";
import { connectBroker, ensureTopology, type RecordIndex } from "./index.ts";

const log = createLog("index-test", "fatal");
const bucket = "pretrain_datasets";
const patience = { timeoutMs: 60_000 };

async function setUp(t: TestContext) {
  const running = new AsyncDisposableStack();
  t.after(() => running.disposeAsync()); // before the folder's own: hooks run in the order of registration
  const storeDirectory = join(temporaryDirectory(t), "nats");
  const server = running.use(await startNatsServer({ port: 0, storeDirectory }));
  const broker = running.use(await connectBroker({ url: server.url, name: "test", log }));
  await ensureTopology(broker);
  const records = await broker.records(bucket, DatasetSchema);
  const index = running.use(broker.recordIndex(bucket, DatasetSchema, ({ value }) => value.bytesRead));
  return { server, broker, storeDirectory, records, index };
}

const dataset = (bytesRead: bigint) => create(DatasetSchema, { bytesRead });

async function held(index: RecordIndex<bigint>): Promise<Record<string, bigint>> {
  return Object.fromEntries([...(await index.current())].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What the index says once the broker answers it again. */
async function heldAtLast(index: RecordIndex<bigint>): Promise<Record<string, bigint>> {
  await until(() => held(index).then(Boolean, () => false), patience);
  return await held(index);
}

test("what was written before the question is in the answer, whoever wrote it", async (t) => {
  const { records, index, server } = await setUp(t);
  assert.deepEqual(await held(index), {});
  const other = await connectBroker({ url: server.url, name: "other", log });
  t.after(() => other[Symbol.asyncDispose]());
  const elsewhere = await other.records(bucket, DatasetSchema);
  for (let n = 1n; n <= 50n; n += 1n) {
    const revision = await elsewhere.create(`a${n}`, dataset(0n));
    assert.equal((await index.current()).get(`a${n}`), 0n);
    await records.update(`a${n}`, dataset(n), revision);
    assert.equal((await index.current()).get(`a${n}`), n);
  }
});

test("an index that is opened late holds what was there before, and many records are read in one request", async (t) => {
  const { records, broker } = await setUp(t);
  const keys = Array.from({ length: 1200 }, (_, n) => `k${n}`);
  for (let from = 0; from < keys.length; from += 100) {
    await Promise.all(keys.slice(from, from + 100).map((key) => records.create(key, dataset(BigInt(key.slice(1))))));
  }
  const late = broker.recordIndex(bucket, DatasetSchema, ({ value }) => value.bytesRead);
  t.after(() => late[Symbol.asyncDispose]());
  const facts = await late.current();
  assert.deepEqual([facts.size, facts.get("k1199")], [1200, 1199n]);
  const found = await records.getMany(["k0", "none", ...keys.slice(600)]);
  assert.equal(found.length, 601);
  assert.ok(found.every(({ key, value }) => value.bytesRead === BigInt(key.slice(1))));
  assert.equal((await records.list()).length, 1200);
});

test("a change rings for those who watch its record, and for nobody else", async (t) => {
  const { records, index } = await setUp(t);
  await index.current(); // the end of the first reading rings for everybody
  const stop = new AbortController();
  const rung = { a: 0, b: 0 };
  const watching = (["a", "b"] as const).map(async (key) => {
    for await (const _ of index.changes(key, stop.signal)) rung[key] += 1;
  });
  await until(() => rung.a === 1 && rung.b === 1, patience);
  await records.create("a", dataset(1n));
  await until(() => rung.a > 1, patience);
  await index.current();
  stop.abort();
  await Promise.all(watching);
  assert.equal(rung.b, 1);
});

test("a server that is killed and comes back is followed on", async (t) => {
  const { server, storeDirectory, records, index } = await setUp(t);
  await records.create("a", dataset(1n));
  assert.deepEqual(await held(index), { a: 1n });
  process.kill(server.pid, "SIGKILL");
  await server.exited;
  const again = await startNatsServer({ port: Number(new URL(server.url).port), storeDirectory });
  t.after(() => again.stop());
  assert.deepEqual(await heldAtLast(index), { a: 1n });
  await records.create("b", dataset(2n));
  assert.deepEqual(await held(index), { a: 1n, b: 2n });
});

test("a bucket that is deleted and made anew is read anew", async (t) => {
  const { server, broker, records, index } = await setUp(t);
  await records.create("old", dataset(1n));
  assert.deepEqual(await held(index), { old: 1n });
  const nats = await connect({ servers: server.url });
  t.after(() => nats.close());
  await (await jetstreamManager(nats)).streams.delete(`KV_${bucket}`);
  await ensureTopology(broker);
  await (await broker.records(bucket, DatasetSchema)).create("new", dataset(2n));
  assert.deepEqual(await heldAtLast(index), { new: 2n });
});

test("a broker whose disk is an older copy is believed: what it does not hold is not in the index", async (t) => {
  const { server, storeDirectory, records, index } = await setUp(t);
  const port = Number(new URL(server.url).port);
  await records.create("kept", dataset(1n));
  await server.stop();
  await cp(storeDirectory, `${storeDirectory}-copy`, { recursive: true });
  const second = await startNatsServer({ port, storeDirectory });
  await until(() => records.create("lost", dataset(2n)).then(Boolean, () => false), patience);
  assert.deepEqual(await heldAtLast(index), { kept: 1n, lost: 2n });
  await second.stop();
  await rm(storeDirectory, { recursive: true });
  await cp(`${storeDirectory}-copy`, storeDirectory, { recursive: true });
  const third = await startNatsServer({ port, storeDirectory });
  t.after(() => third.stop());
  await until(async () => (await heldAtLast(index))["lost"] === undefined, patience);
  assert.deepEqual(await heldAtLast(index), { kept: 1n });
});
