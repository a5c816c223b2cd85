/**
 * What happens to disks: the ledger's is damaged, put back to yesterday, or full; the broker's is put back. Nothing that was
 * acknowledged is lost, nothing is counted twice, and nobody has to do anything. A real broker, the service as a process.
 */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import { create, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import { type BlobStore, openBlobs } from "@pretrain/blobs";
import { type Broker, connectBroker, ensureTopology, events, questions } from "@pretrain/events";
import { startNatsServer } from "@pretrain/nats-server";
import { createLog } from "@pretrain/observability";
import { MissingEventsRequestSchema, ReportService } from "@pretrain/proto";
import { connectClient } from "@pretrain/rpc";
import { jumpingDateModule, temporaryDirectory, until } from "@pretrain/testing";
import type { LedgerEvent } from "./ledger/ledger-event.ts";
import { runEvents } from "./test-support/run-events.ts";
import { runShape } from "./test-support/run-shape.ts";
import { endService, type ServiceProcess, serviceEnvironment, startService } from "./test-support/service-process.ts";

const shape = runShape({ stepsPerEpoch: 12, saveInterval: 12 });
const all = runEvents(shape);
const half = all.slice(0, 30);
const patient = { timeoutMs: 120_000 };

async function setUp(t: TestContext) {
  const running = new AsyncDisposableStack();
  t.after(() => running.disposeAsync()); // before the folder's own: hooks run in the order of registration
  const folder = temporaryDirectory(t);
  const storeDirectory = join(folder, "nats");
  const server = running.use(await startNatsServer({ port: 0, storeDirectory }));
  const broker = running.use(await connectBroker({ url: server.url, name: "test", log: createLog("test", "fatal") }));
  await ensureTopology(broker);
  return { running, server, broker, folder, storeDirectory, environment: serviceEnvironment(server.url, folder) };
}

async function publishAll(broker: Broker, published: readonly LedgerEvent[]): Promise<void> {
  for (const { kind, message } of published) {
    await broker.publish<DescMessage>(events[kind] as (typeof events)["step"], message as MessageShape<DescMessage>);
  }
}

/** Waits until the record is whole. @returns the digest of its report.json */
async function wholeRecord(t: TestContext, service: ServiceProcess): Promise<string> {
  const client = connectClient(ReportService, service.grpc);
  t.after(() => client[Symbol.dispose]());
  const name = "experiments/1-4-0/report";
  await until(async () => {
    const { gaps, chain } = await client.getReport({ name });
    return chain?.events === BigInt(all.length) && gaps.length === 0; // final, and the last line of the log is there
  }, patient);
  return (await client.renderReport({ name, format: 1 })).reportSha256;
}

/** Waits until the ledger holds so many events, whatever they are. */
async function holds(folder: string, count: number): Promise<void> {
  await until(() => countIn(folder) >= count, patient);
}

function countIn(folder: string): number {
  const database = new DatabaseSync(join(folder, "state/ledger.sqlite"), { readOnly: true });
  try {
    return Number(database.prepare("SELECT COUNT(*) AS events FROM events WHERE kind <> 'report'").get()?.["events"]);
  } finally {
    database.close();
  }
}

test("a ledger with a changed value is set aside, and the one that takes its place makes the same record", async (t) => {
  const { broker, folder, environment } = await setUp(t);
  await publishAll(broker, all);
  const before = await startService(t, environment);
  const digest = await wholeRecord(t, before);
  await endService(before.child, "SIGTERM");
  const path = join(folder, "state/ledger.sqlite");
  const bytes = readFileSync(path);
  const at = bytes.indexOf('"lossNats":') + 14;
  bytes[at] = (bytes[at] ?? 0) ^ 1; // one digit of one loss
  writeFileSync(path, bytes);
  const after = await startService(t, environment);
  assert.notEqual(after.ledger, before.ledger);
  assert.equal(await wholeRecord(t, after), digest);
  assert.equal(countIn(folder), all.length);
  assert.ok(readdirSync(join(folder, "state")).includes("ledger.sqlite.damaged-1"));
});

test("a ledger that is put back to yesterday's copy is told again what came since", async (t) => {
  const { broker, folder, environment } = await setUp(t);
  const state = join(folder, "state");
  await publishAll(broker, half);
  const first = await startService(t, environment);
  await holds(folder, half.length);
  await endService(first.child, "SIGTERM");
  cpSync(state, join(folder, "yesterday"), { recursive: true });
  await publishAll(broker, all.slice(half.length));
  const second = await startService(t, environment);
  const digest = await wholeRecord(t, second);
  await endService(second.child, "SIGTERM");
  rmSync(state, { recursive: true });
  cpSync(join(folder, "yesterday"), state, { recursive: true });
  const third = await startService(t, environment);
  assert.equal(third.ledger, first.ledger);
  assert.equal(await wholeRecord(t, third), digest);
  assert.equal(countIn(folder), all.length);
});

test("a ledger whose disk is gone begins with its copy in the store, also when the streams have forgotten it", async (t) => {
  const { running, server, broker, folder, storeDirectory, environment } = await setUp(t);
  const blobs = openBlobs(pathToFileURL(join(folder, "blobs")).href);
  const first = await startService(t, { ...environment, PRETRAIN_LEDGER_COPY_SECONDS: "1" });
  await publishAll(broker, half);
  await holds(folder, half.length);
  await until(async () => (await eventsInNewestCopy(blobs, folder)) === half.length, patient);
  await endService(first.child, "SIGTERM");
  assert.ok((await Array.fromAsync(blobs.list("ledger/"))).length <= 3, "older copies give way");
  rmSync(join(folder, "state"), { recursive: true });
  await server.stop();
  rmSync(storeDirectory, { recursive: true });
  const port = Number(new URL(server.url).port);
  running.use(await startNatsServer({ port, storeDirectory }));
  await until(
    () =>
      ensureTopology(broker).then(
        () => true,
        () => false,
      ),
    patient,
  );
  await publishAll(broker, all.slice(half.length));
  const second = await startService(t, environment);
  assert.equal(second.ledger, first.ledger);
  await wholeRecord(t, second);
  assert.equal(countIn(folder), all.length);
});

/** Undefined while there is none. */
async function eventsInNewestCopy(blobs: BlobStore, folder: string): Promise<number | undefined> {
  const newest = (await Array.fromAsync(blobs.list("ledger/")))
    .map(({ key }) => key)
    .sort()
    .at(-1);
  if (newest === undefined) return undefined;
  const bytes = await blobs.read(newest).catch(() => undefined); // it has given way meanwhile
  if (bytes === undefined) return undefined;
  mkdirSync(join(folder, "copy", "state"), { recursive: true });
  writeFileSync(join(folder, "copy", "state", "ledger.sqlite"), bytes);
  return countIn(join(folder, "copy"));
}

test("a broker that is put back to an older disk: the ledger names what it lacks, keeps what it has, and takes each once", async (t) => {
  const { running, server, broker, folder, storeDirectory, environment } = await setUp(t);
  const port = Number(new URL(server.url).port);
  const first = await startService(t, environment);
  await publishAll(broker, half);
  await holds(folder, half.length);
  await server.stop();
  cpSync(storeDirectory, join(folder, "older"), { recursive: true });
  const later = await startNatsServer({ port, storeDirectory });
  await until(
    () =>
      broker.extentOf("PRETRAIN_EVENTS").then(
        () => true,
        () => false,
      ),
    patient,
  );
  await publishAll(broker, all.slice(30, 40)); // the ledger takes these from a disk that will be gone
  await holds(folder, 40);
  await endService(first.child, "SIGKILL");
  await publishAll(broker, all.slice(40, 50)); // and these it will never see: acknowledged, and gone with the disk
  await later.stop();
  rmSync(storeDirectory, { recursive: true });
  cpSync(join(folder, "older"), storeDirectory, { recursive: true });
  running.use(await startNatsServer({ port, storeDirectory }));
  await until(
    () =>
      broker.extentOf("PRETRAIN_EVENTS").then(
        () => true,
        () => false,
      ),
    patient,
  );
  await publishAll(broker, all.slice(50)); // under sequences that were given before
  const service = await startService(t, environment);
  await holds(folder, all.length - 10);
  const messageIds = all.map(({ kind, message }) => (events[kind].messageId as (m: unknown) => string)(message));
  const { missing, ledger } = await broker.ask(
    questions.missingEvents,
    create(MissingEventsRequestSchema, { messageIds }),
  );
  assert.deepEqual(missing, messageIds.slice(40, 50));
  assert.equal(ledger, service.ledger);
  await publishAll(broker, all.slice(40, 50)); // as whoever kept them does
  await wholeRecord(t, service);
  assert.equal(countIn(folder), all.length);
});

test("a full disk stops the ledger, loses nothing that was acknowledged, and when there is room it goes on by itself", async (t) => {
  const { running, broker, folder, environment } = await setUp(t);
  const state = join(folder, "state");
  mkdirSync(state);
  running.defer(() => void spawnSync("/bin/umount", ["--lazy", state]));
  try {
    execFileSync("/bin/mount", ["-t", "tmpfs", "-o", "size=600k", "tmpfs", state], { stdio: "ignore" });
  } catch {
    return t.skip("this process may not mount a small file system");
  }
  const service = await startService(t, environment);
  const long = runEvents({ ...shape, stepsPerEpoch: 400, saveInterval: 400, id: "2-0-0" });
  await publishAll(broker, long); // about a megabyte in the ledger
  await until(async () => (await fetch(`http://${service.http}/healthz`)).status === 503, patient);
  const held = countIn(folder);
  assert.ok(held > 0 && held < long.length, `${held}`);
  execFileSync("/bin/mount", ["-o", "remount,size=64m", state], { stdio: "ignore" });
  await holds(folder, long.length);
  assert.equal(countIn(folder), long.length);
  await until(async () => (await fetch(`http://${service.http}/healthz`)).status === 200, patient);
  await endService(service.child, "SIGTERM");
  const database = new DatabaseSync(join(state, "ledger.sqlite"));
  t.after(() => database.close());
  assert.equal(database.prepare("PRAGMA integrity_check").get()?.["integrity_check"], "ok");
});

test("a date that jumps about in the service changes no byte of the record", async (t) => {
  const { broker, environment } = await setUp(t);
  await publishAll(broker, all);
  const steady = await startService(t, environment);
  const digest = await wholeRecord(t, steady);
  await endService(steady.child, "SIGTERM");
  const other = serviceEnvironment(environment["PRETRAIN_NATS_URL"] ?? "", temporaryDirectory(t));
  const service = await startService(t, { ...other, NODE_OPTIONS: `--import=${jumpingDateModule}` });
  assert.equal(await wholeRecord(t, service), digest);
});
