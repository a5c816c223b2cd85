/** The whole service: a real broker before it, real clients behind it, and its death at bad moments. */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { openBlobs, sha256Hex } from "@pretrain/blobs";
import { InvalidArgument, NotFound } from "@pretrain/errors";
import { type Broker, connectBroker, ensureTopology, events } from "@pretrain/events";
import { startNatsServer } from "@pretrain/nats-server";
import { createLog } from "@pretrain/observability";
import { Finding_Kind, Report_Completeness, ReportService } from "@pretrain/proto";
import { connectClient } from "@pretrain/rpc";
import { temporaryDirectory, until } from "@pretrain/testing";
import type { LedgerEvent } from "./ledger/ledger-event.ts";
import { runEvents } from "./test-support/run-events.ts";
import { runShape } from "./test-support/run-shape.ts";
import { endService, runToEnd, serviceEnvironment, startService } from "./test-support/service-process.ts";

const shape = runShape({ stepsPerEpoch: 12, saveInterval: 12 });
const name = "experiments/1-4-0/report";

async function setUp(t: TestContext) {
  const running = new AsyncDisposableStack();
  t.after(() => running.disposeAsync()); // before the folder's own: hooks run in the order of registration
  const folder = temporaryDirectory(t);
  const server = running.use(await startNatsServer({ port: 0, storeDirectory: join(folder, "nats") }));
  const broker = running.use(await connectBroker({ url: server.url, name: "test", log: createLog("test", "fatal") }));
  await ensureTopology(broker);
  return { broker, folder, environment: serviceEnvironment(server.url, folder) };
}

/** As the services would; several at once, so that they arrive in another order. */
async function publishAll(broker: Broker, all: readonly LedgerEvent[]): Promise<void> {
  await Promise.all(all.map((event) => publish(broker, event)));
}

function publish(broker: Broker, { kind, message }: LedgerEvent) {
  return broker.publish<DescMessage>(events[kind] as (typeof events)["step"], message as MessageShape<DescMessage>);
}

/** The client of the service at that address; gone with the test. */
function clientOf(t: TestContext, address: string) {
  const client = connectClient(ReportService, address);
  t.after(() => client[Symbol.dispose]());
  return client;
}

test("a run's events become a record: over gRPC, in the blob store, announced once, and on the page", async (t) => {
  const { broker, folder, environment } = await setUp(t);
  const stopping = new AbortController();
  t.after(() => stopping.abort());
  const announced = broker.follow({ kinds: ["report"], from: "all" }, stopping.signal)[Symbol.asyncIterator]();
  const service = await startService(t, environment);
  await publishAll(broker, runEvents(shape));
  await publishAll(broker, runEvents(shape)); // the broker itself drops what it remembers
  const { message } = (await announced.next()).value;
  const blobs = openBlobs(pathToFileURL(join(folder, "blobs")).href);
  assert.equal(message.reportSha256, sha256Hex(await blobs.read("experiments/1-4-0/report/report.json")));

  const client = clientOf(t, service.grpc);
  const report = await client.getReport({ name: "experiments/1.4.0/report" });
  assert.deepEqual(
    [report.completeness, report.training?.microSteps, report.gaps],
    [Report_Completeness.FINAL, 36n, []],
  );
  const { document, reportSha256 } = await client.renderReport({ name, format: 2 });
  assert.equal(reportSha256, message.reportSha256);
  assert.ok(document.startsWith("<!doctype html>"));
  const verified = await client.verifyReport({ name });
  assert.deepEqual([verified.sound, verified.reportSha256], [true, message.reportSha256]);
  const bundled = new Set<string>();
  for await (const { file } of client.exportBundle({ name })) bundled.add(file);
  assert.deepEqual([...bundled].slice(-3), ["claims.jsonl", "events.jsonl", "bundle.json"]);
  const { series } = await client.queryMetrics({
    experiment: "experiments/1-4-0",
    metrics: ["train/loss"],
    maxPoints: 6,
  });
  assert.equal(series[0]?.buckets.length, 6);
  await expectAnnotations(client);
  await assert.rejects(client.getReport({ name: "experiments/9-9-9/report" }), NotFound);
  await assert.rejects(client.verifyReport({ name: "experiments/9-9-9/report" }), NotFound);
  await assert.rejects(client.renderReport({ name, format: 0 }), InvalidArgument);

  const [overview] = (await (await fetch(`http://${service.http}/api/experiments`)).json()) as [
    { id: string; state: string },
  ];
  assert.deepEqual([overview.id, overview.state], ["1-4-0", "COMPLETED"]);
  assert.equal((await fetch(`http://${service.http}/healthz`)).status, 200);
  assert.match(
    await (await fetch(`http://${service.http}/metrics`)).text(),
    /pretrain_ledger_events_total\{.*kind="step".*\} 36/,
  );
  assert.equal(await endService(service.child, "SIGTERM"), 0);
});

/** What is written down is in the record when the call answers, once for each request id; a number that the record has not is refused. */
async function expectAnnotations(client: ReturnType<typeof clientOf>): Promise<void> {
  const experiment = "experiments/1.4.0";
  const finding = (text: string) =>
    ({ author: "林岚", content: { case: "finding", value: { kind: Finding_Kind.FINDING, text } } }) as const;
  const steady = { experiment, annotation: finding("36 micro-steps without a fault"), requestId: "first" };
  const added = await client.annotateReport(steady);
  assert.deepEqual(await client.annotateReport(steady), added);
  const { annotations } = await client.getReport({ name });
  assert.deepEqual(
    annotations.map((annotation) => annotation.name),
    [added.name],
  );
  await assert.rejects(
    client.annotateReport({ experiment, annotation: finding("37 micro-steps") }),
    (error) => error instanceof InvalidArgument && error.reason === "UNSUPPORTED_NUMBER",
  );
}

test("killed again and again while it ingests, the ledger has every event once", async (t) => {
  const { broker, folder, environment } = await setUp(t);
  const all = runEvents(shape);
  const published = publishAll(broker, all);
  for (let kill = 0; kill < 3; kill++) {
    const { child } = await startService(t, environment);
    await new Promise((resolve) => setTimeout(resolve, 20 * kill));
    await endService(child, "SIGKILL");
  }
  await published;
  const service = await startService(t, environment);
  const client = clientOf(t, service.grpc);
  const isWhole = async () => {
    const { completeness, gaps } = await client.getReport({ name });
    return completeness === Report_Completeness.FINAL && gaps.length === 0;
  };
  await until(isWhole, { timeoutMs: 40_000 }); // what the killed process had taken comes again after 15 s
  await endService(service.child, "SIGTERM");
  const database = new DatabaseSync(join(folder, "state/ledger.sqlite"));
  t.after(() => database.close());
  const row = database.prepare("SELECT COUNT(*) AS events FROM events WHERE kind <> 'report'").get();
  assert.equal(row?.["events"], all.length);
  assert.equal(database.prepare("PRAGMA integrity_check").get()?.["integrity_check"], "ok");
});

test("a ledger that was lost is built again from the streams, and makes the same record", async (t) => {
  const { broker, folder, environment } = await setUp(t);
  await publishAll(broker, runEvents(shape));
  const digest = async () => {
    const service = await startService(t, environment);
    const client = clientOf(t, service.grpc);
    const record = await until(async () => {
      const report = await client.getReport({ name });
      return (
        report.gaps.length === 0 &&
        report.chain?.events === BigInt(runEvents(shape).length) && // final, and the last line of the log is there
        client.renderReport({ name, format: 1 })
      );
    });
    await endService(service.child, "SIGTERM");
    return { ledger: service.ledger, sha256: record.reportSha256 };
  };
  const before = await digest();
  rmSync(join(folder, "state"), { recursive: true });
  const after = await digest();
  assert.notEqual(after.ledger, before.ledger);
  assert.equal(after.sha256, before.sha256);
});

test("variables that are missing end the service with a sentence that says what to do", async (t) => {
  const environment = serviceEnvironment("nats://127.0.0.1:1", temporaryDirectory(t));
  const missing = await runToEnd({ PATH: environment["PATH"], PRETRAIN_GRPC_ADDRESS: "nowhere" });
  assert.equal(missing.code, 1);
  for (const variable of ["PRETRAIN_GRPC_ADDRESS", "PRETRAIN_BLOBS", "PRETRAIN_STATE"])
    assert.ok(missing.output.includes(variable), variable);
});
