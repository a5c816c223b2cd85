/** The service as it runs: its own process, a real broker, gRPC. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { PretrainError } from "@pretrain/errors";
import { startNatsServer } from "@pretrain/nats-server";
import { DataShardService, type Dataset, Dataset_State, Split } from "@pretrain/proto";
import { connectClient, type PretrainClient } from "@pretrain/rpc";
import { temporaryDirectory, until } from "@pretrain/testing";
import { jsonl, packingSettings } from "./test-support/packing-settings.ts";

interface Serving {
  readonly child: ChildProcess;
  readonly client: PretrainClient<typeof DataShardService>;
  readonly grpc: string;
  readonly http: string;
}

const main = fileURLToPath(new URL("./main.ts", import.meta.url));

/** A broker, a folder of data, and the service as often as it is started. */
async function setUp(t: TestContext) {
  const folder = temporaryDirectory(t);
  const root = join(folder, "data");
  mkdirSync(root);
  const broker = await startNatsServer({ port: 0, storeDirectory: join(folder, "nats") });
  t.after(() => broker[Symbol.asyncDispose]());
  const run = (environment: NodeJS.ProcessEnv): ChildProcess => {
    const surroundings = {
      PRETRAIN_NATS_URL: broker.url,
      PRETRAIN_GRPC_ADDRESS: "127.0.0.1:0",
      PRETRAIN_HTTP_ADDRESS: "127.0.0.1:0",
      PRETRAIN_BLOBS: pathToFileURL(join(folder, "blobs")).href,
      PRETRAIN_DATA_ROOTS: root,
    };
    const env = { ...process.env, ...surroundings, ...environment };
    const child = spawn(process.execPath, [main], { stdio: ["ignore", "pipe", "inherit"], env });
    t.after(() => void child.kill("SIGKILL"));
    return child;
  };
  const start = async (): Promise<Serving> => {
    const child = run({});
    const { grpc, http } = await addressesOf(child);
    const client = connectClient(DataShardService, grpc);
    t.after(() => client[Symbol.dispose]());
    return { child, client, grpc, http };
  };
  return { root, run, start };
}

/** What the service says of itself when it serves. */
function addressesOf(child: ChildProcess): Promise<{ readonly grpc: string; readonly http: string }> {
  return new Promise((resolve, reject) => {
    let output = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      for (const line of output.split("\n").slice(0, -1)) {
        const entry = JSON.parse(line) as { readonly msg: string; readonly grpc: string; readonly http: string };
        if (entry.msg === "serving") resolve(entry);
      }
    });
    child.once("exit", (code) => reject(new Error(`the service ended with ${code}: ${output}`)));
  });
}

async function ended({ client }: Serving, name: string): Promise<Dataset> {
  return await until(
    async () => {
      const dataset = await client.getDataset({ name });
      return (dataset.state === Dataset_State.READY || dataset.state === Dataset_State.FAILED) && dataset;
    },
    { timeoutMs: 30_000 },
  );
}

const book = packingSettings({ path: "book.jsonl", validationEvery: 5 });
const rows = Array.from({ length: 40 }, (_, index) => `row ${index}`);

test("a text is packed, reported, streamed and read over gRPC, and the service says that it is well", async (t) => {
  const system = await setUp(t);
  writeFileSync(join(system.root, "book.jsonl"), jsonl(...rows));
  const serving = await system.start();
  const { client, http } = serving;
  const pending = await client.packDataset({ settings: book, requestId: "first" });
  assert.equal(pending.state, Dataset_State.PENDING);
  const ready = await ended(serving, pending.name);
  assert.equal(Number(ready.trainRows + ready.validationRows), 40);
  assert.equal((await client.packDataset({ settings: book, requestId: "first" })).name, ready.name);
  assert.deepEqual((await client.listDatasets({})).datasets, [ready]);
  const report = await client.getDatasetReport({ name: ready.name });
  assert.deepEqual([report.rowsRead, report.splits[0]?.rows], [40n, ready.trainRows]);

  const { trainTokenCounts, overlap } = await client.analyzeDataset({ name: ready.name });
  const trained = trainTokenCounts.reduce((sum, count) => sum + count);
  assert.deepEqual([trained, overlap?.validationRows], [report.splits[0]?.tokens, ready.validationRows]);

  const seen = new Set<bigint>();
  const request = { dataset: ready.name, split: Split.TRAIN, batchRows: 7, shuffle: "per_epoch", seed: 3, epochs: 1 };
  for await (const { rowIds } of client.streamBatches(request)) for (const rowId of rowIds) seen.add(rowId);
  assert.equal(BigInt(seen.size), ready.trainRows);
  const { sequences } = await client.readSequences({ dataset: ready.name, split: Split.VALIDATION });
  assert.equal(BigInt(sequences.length), ready.validationRows);

  assert.equal((await fetch(`http://${http}/healthz`)).status, 200);
  assert.match(
    await (await fetch(`http://${http}/metrics`)).text(),
    /pretrain_data_rows_total\{service="data-shard"\} \d+/,
  );
});

test("wrong requests come back as the errors that they are, with every field", async (t) => {
  const system = await setUp(t);
  writeFileSync(join(system.root, "book.jsonl"), jsonl("a"));
  const { client } = await system.start();
  await assert.rejects(client.packDataset({ settings: { ...book, format: "csv", maxSequenceLength: 1 } }), (error) => {
    assert.ok(error instanceof PretrainError && error.status === "INVALID_ARGUMENT", String(error));
    assert.deepEqual(error.violations.map(({ field }) => field).sort(), [
      "settings.format",
      "settings.max_sequence_length",
    ]);
    return true;
  });
  await assert.rejects(client.packDataset({ settings: packingSettings({ path: "../x" }) }), /not inside a data root/);
  await assert.rejects(client.getDataset({ name: "datasets/None" }), { status: "INVALID_ARGUMENT" });
  await assert.rejects(client.getDataset({ name: "datasets/none" }), { status: "NOT_FOUND" });
  await client.packDataset({ settings: book, requestId: "r" });
  await assert.rejects(client.packDataset({ settings: { ...book, cut: "keep_eos" }, requestId: "r" }), {
    status: "ALREADY_EXISTS",
  });
});

test("a service killed in the middle of packing leaves no half dataset, and its successor packs the same one", async (t) => {
  const system = await setUp(t);
  writeFileSync(
    join(system.root, "book.jsonl"),
    jsonl(...Array.from({ length: 30_000 }, (_, index) => `a row, number ${index}`)),
  );
  const first = await system.start();
  const { name } = await first.client.packDataset({ settings: packingSettings({ path: "book.jsonl" }) });
  await until(async () => (await first.client.getDataset({ name })).state === Dataset_State.PACKING);
  first.child.kill("SIGKILL");
  await once(first.child, "exit");
  const second = await system.start();
  const ready = await ended(second, name);
  assert.deepEqual([ready.state, ready.trainRows], [Dataset_State.READY, 30_000n]);
  const found = await second.client.readSequences({ dataset: name, split: Split.TRAIN, pageSize: 1000 });
  assert.equal(found.sequences.length, 1000);
});

test("a service killed in the middle of a stream: its successor's stream hands out the rest, every row once", async (t) => {
  const system = await setUp(t);
  writeFileSync(join(system.root, "book.jsonl"), jsonl(...rows));
  const first = await system.start();
  const { name } = await first.client.packDataset({ settings: packingSettings({ path: "book.jsonl" }) });
  await ended(first, name);
  const request = { dataset: name, split: Split.TRAIN, batchRows: 3, shuffle: "per_epoch", seed: 3, epochs: 2 };
  const seen: bigint[] = [];
  let next: { epoch: number; row: bigint } | undefined;
  const reading = (async () => {
    for await (const batch of first.client.streamBatches({ ...request, epochs: 100_000 })) {
      if (seen.length >= 21) continue; // what comes after these is not taken for read
      seen.push(...batch.rowIds);
      next = batch.next;
    }
  })();
  const cut = assert.rejects(reading, { status: "UNAVAILABLE" });
  await until(() => seen.length >= 21, { timeoutMs: 30_000 });
  first.child.kill("SIGKILL");
  await cut;
  const second = await system.start();
  const start = { epoch: next?.epoch ?? 0, row: next?.row ?? 0n };
  for await (const { rowIds } of second.client.streamBatches({ ...request, start })) seen.push(...rowIds);
  const twice = [...rows.keys(), ...rows.keys()].map(BigInt);
  assert.deepEqual(
    seen.toSorted((a, b) => Number(a - b)),
    twice.toSorted((a, b) => Number(a - b)),
  );
});

test("SIGTERM ends the service with code 0 within 3 s, and a stream that is being read with UNAVAILABLE", async (t) => {
  const system = await setUp(t);
  writeFileSync(join(system.root, "book.jsonl"), jsonl(...rows));
  const serving = await system.start();
  const { name } = await serving.client.packDataset({ settings: book });
  await ended(serving, name);
  const request = { dataset: name, split: Split.TRAIN, batchRows: 1, shuffle: "none", epochs: 100_000 };
  let batches = 0;
  const reading = (async () => {
    for await (const _ of serving.client.streamBatches(request)) batches += 1;
  })();
  const refused = assert.rejects(reading, { status: "UNAVAILABLE" });
  await until(() => batches > 0);
  const start = performance.now();
  serving.child.kill("SIGTERM");
  const [code] = (await once(serving.child, "exit")) as [number];
  assert.equal(code, 0);
  assert.ok(performance.now() - start < 3000);
  await refused;
});

test("bad variables and a taken port end the start with one sentence that names the variable", async (t) => {
  const system = await setUp(t);
  const { grpc } = await system.start();
  for (const [environment, words] of [
    [{ PRETRAIN_BLOBS: "ftp://bucket", PRETRAIN_DATA_ROOTS: "" }, /PRETRAIN_BLOBS.*PRETRAIN_DATA_ROOTS: is not set/],
    [{ PRETRAIN_GRPC_ADDRESS: grpc }, /in use.*PRETRAIN_GRPC_ADDRESS/],
  ] as const) {
    const child = system.run(environment);
    let output = "";
    child.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
    const [code] = (await once(child, "close")) as [number];
    assert.equal(code, 1, output);
    assert.match(output, words);
    assert.equal(output.split("\n").filter((line) => line.includes('"level":"fatal"')).length, 1);
  }
});

test("a reader that stops makes the service stop: no more batches are made than the connection holds", async (t) => {
  const system = await setUp(t);
  writeFileSync(join(system.root, "book.jsonl"), jsonl(...rows));
  const serving = await system.start();
  const settings = packingSettings({ path: "book.jsonl", maxSequenceLength: 8192 });
  const { name } = await serving.client.packDataset({ settings });
  await ended(serving, name);
  const request = { dataset: name, split: Split.TRAIN, batchRows: 40, shuffle: "per_epoch", epochs: 1000 }; // 0.66 MB each
  const stream = serving.client.streamBatches(request)[Symbol.asyncIterator]();
  for (let taken = 0; taken < 3; taken += 1) await stream.next();
  const made = async () => {
    const metrics = await (await fetch(`http://${serving.http}/metrics`)).text();
    return Number(/pretrain_data_batches_total\{[^}]*\} (\d+)/.exec(metrics)?.[1]);
  };
  await until(async () => (await made()) >= 3);
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.ok((await made()) < 40, `${await made()} of 1000`);
  await stream.return?.(undefined);
});
