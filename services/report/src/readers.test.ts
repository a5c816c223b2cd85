/**
 * Readers that do not read, beside readers that do: 25 gRPC streams and 25 page streams of each, and 50 answers to QueryMetrics that
 * nobody takes. Those who read get every step, the service's memory stays, and who fell behind is told so.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2, constants } from "node:http2";
import { connect as connectSocket } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { create, type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { type Broker, connectBroker, ensureTopology, events } from "@pretrain/events";
import { startNatsServer } from "@pretrain/nats-server";
import { createLog } from "@pretrain/observability";
import { QueryMetricsRequestSchema, ReportService, WatchMetricsRequestSchema } from "@pretrain/proto";
import { connectClient, type PretrainClient } from "@pretrain/rpc";
import { temporaryDirectory, until } from "@pretrain/testing";
import type { LedgerEvent } from "./ledger/ledger-event.ts";
import { openEventStream } from "./test-support/event-stream.ts";
import { beginning } from "./test-support/run-events.ts";
import { runShape } from "./test-support/run-shape.ts";
import { type ServiceProcess, serviceEnvironment, startService } from "./test-support/service-process.ts";
import { stepEvents } from "./test-support/step-events.ts";

const shape = runShape({ stepsPerEpoch: 10_000, saveInterval: 10_000, epochs: 1 });
const patient = { timeoutMs: 120_000 };
const each = 25;
const experiment = "experiments/1-4-0";
const stepsSent = 6000;
/** So that garbage that nobody had a reason to collect is not taken for memory that is held; holding more would end the service. */
const smallHeap = "--max-old-space-size=96";

async function setUp(t: TestContext) {
  const running = new AsyncDisposableStack();
  t.after(() => running.disposeAsync()); // before the folder's own: hooks run in the order of registration
  const folder = temporaryDirectory(t);
  const server = running.use(await startNatsServer({ port: 0, storeDirectory: join(folder, "nats") }));
  const broker = running.use(await connectBroker({ url: server.url, name: "test", log: createLog("test", "fatal") }));
  await ensureTopology(broker);
  const service = await startService(t, { ...serviceEnvironment(server.url, folder), NODE_OPTIONS: smallHeap });
  const client = connectClient(ReportService, service.grpc);
  t.after(() => client[Symbol.dispose]());
  return { broker, service, client };
}

async function publishAll(broker: Broker, published: readonly LedgerEvent[]): Promise<void> {
  for (let start = 0; start < published.length; start += 200) {
    await Promise.all(
      published
        .slice(start, start + 200)
        .map(({ kind, message }) =>
          broker.publish<DescMessage>(events[kind] as (typeof events)["step"], message as MessageShape<DescMessage>),
        ),
    );
  }
}

function stepsBetween(from: number, to: number): LedgerEvent[] {
  return Array.from({ length: to - from }, (_, index) => from + index + 1).flatMap((microStep) =>
    stepEvents(shape, { attempt: 1, microStep, endMs: shape.startMs + microStep }, () => 0.5).slice(0, 1),
  );
}

/** Counts what one reader of WatchMetrics gets; it goes on at its place when it is told that it fell behind. */
function watcher(t: TestContext, client: PretrainClient<typeof ReportService>) {
  const seen = new Set<bigint>();
  const state = { seen, isOpen: false };
  const stop = new AbortController();
  t.after(() => stop.abort());
  void (async () => {
    for await (const { steps } of client.watchMetrics({ experiment }, { signal: stop.signal })) {
      state.isOpen = true;
      for (const { microStep } of steps) seen.add(microStep);
    }
  })().catch(() => undefined);
  return state;
}

/** Counts what one reader of the page's stream gets. */
function pageReader(t: TestContext, { http }: ServiceProcess) {
  const seen = new Set<number>();
  const state = { seen, isOpen: false };
  const stream = openEventStream(t, `http://${http}/api/live?experiment=1-4-0`);
  void (async () => {
    for (;;) {
      const { event, data } = await stream.next();
      state.isOpen = true;
      if (event === "steps") for (const microStep of JSON.parse(data).microStep) seen.add(microStep);
    }
  })();
  return state;
}

/** A page that is asked for and never read: its socket is paused before the first byte. */
function deafPage(t: TestContext, { http }: ServiceProcess): void {
  const [host = "", port = ""] = http.split(":");
  const socket = connectSocket({ host, port: Number(port) });
  socket.on("error", () => undefined).pause();
  socket.write(`GET /api/live?experiment=1-4-0 HTTP/1.1\r\nHost: ${http}\r\n\r\n`);
  t.after(() => void socket.destroy());
}

/** A connection of its own, of whose calls nothing is read: HTTP/2's windows, as small as a message, stay as they are. */
function deafSession(t: TestContext, { grpc }: ServiceProcess): ClientHttp2Session {
  const settings = { initialWindowSize: 1024 };
  const session = connectHttp2(`http://${grpc}`, { settings }).on("error", () => undefined);
  t.after(() => session.destroy());
  return session;
}

function deafCall(session: ClientHttp2Session, method: string, request: Uint8Array): ClientHttp2Stream {
  const frame = Buffer.concat([Buffer.alloc(5), request]);
  frame.writeUInt32BE(request.length, 1);
  const path = `/pretrain.report.v1.ReportService/${method}`;
  const headers = { ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers" };
  const stream = session.request(headers).on("error", () => undefined);
  stream.pause().end(frame);
  return stream;
}

function deafQueries(t: TestContext, service: ServiceProcess, count: number): void {
  const session = deafSession(t, service);
  const asked = create(QueryMetricsRequestSchema, { experiment, metrics: ["train/loss", "train/lr"] });
  const request = toBinary(QueryMetricsRequestSchema, asked);
  for (let call = 0; call < count; call += 1) deafCall(session, "QueryMetrics", request);
}

function deafWatcher(t: TestContext, service: ServiceProcess): ClientHttp2Stream {
  const request = toBinary(WatchMetricsRequestSchema, create(WatchMetricsRequestSchema, { experiment }));
  return deafCall(deafSession(t, service), "WatchMetrics", request);
}

/** How a call ends for a caller that takes up reading: by its status, or, when its stream was closed before, by that code. */
async function endOf(stream: ClientHttp2Stream): Promise<string> {
  let status: string | undefined;
  stream.on("trailers", (trailers) => (status = String(trailers["grpc-status"])));
  stream.resume();
  if (!stream.closed) await once(stream, "close");
  return status === undefined ? `closed with ${stream.rstCode}` : `status ${status}`;
}

function residentMebibytes({ child }: ServiceProcess): number {
  const status = readFileSync(`/proc/${child.pid}/status`, "latin1");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

test("50 readers that read get every step while 50 that do not cost less than 64 MB and are told that they fell behind", async (t) => {
  const { broker, service, client } = await setUp(t);
  await publishAll(broker, [...beginning(shape), ...stepsBetween(0, 1000)]);
  await until(
    () =>
      client.queryMetrics({ experiment, metrics: ["train/loss"] }).then(
        ({ series }) => series[0]?.buckets.length === 1000,
        () => false,
      ),
    patient,
  );
  const readers = [
    ...Array.from({ length: each }, () => watcher(t, client)),
    ...Array.from({ length: each }, () => pageReader(t, service)),
  ];
  await until(() => readers.every(({ isOpen }) => isOpen), patient);
  /** In portions: a reader that reads has each before the next one comes, however busy the machine is. */
  const publishAndRead = async (from: number, to: number) => {
    for (let sent = from; sent < to; sent += 200) {
      await publishAll(broker, stepsBetween(sent, sent + 200));
      await until(() => readers.every(({ seen }) => seen.size === sent + 200 - 1000), patient);
    }
  };
  await publishAndRead(1000, 4000); // warm: what the service needs in any case, its heap's own growth with it
  const before = residentMebibytes(service);

  const deafWatchers = Array.from({ length: each }, () => deafWatcher(t, service));
  await Promise.all(deafWatchers.map((deaf) => once(deaf, "response")));
  for (let page = 0; page < each; page += 1) deafPage(t, service);
  deafQueries(t, service, 50);
  await publishAndRead(4000, stepsSent);
  const grown = residentMebibytes(service) - before;
  t.diagnostic(`the service grew by ${grown.toFixed(1)} MiB, from ${before.toFixed(1)} MiB`);
  assert.ok(grown < 64, `${grown} MiB`);
  const told = new Set(await Promise.all(deafWatchers.map(endOf)));
  const exhausted = ["status 8", `closed with ${constants.NGHTTP2_ENHANCE_YOUR_CALM}`]; // gRPC's RESOURCE_EXHAUSTED, both
  assert.ok(
    [...told].every((end) => exhausted.includes(end)),
    [...told].join(),
  );
});

test("a stream goes on at its place: what came meanwhile is sent first; a place of another ledger is a reset", async (t) => {
  const { broker, client } = await setUp(t);
  await publishAll(broker, [...beginning(shape), ...stepsBetween(0, 3)]);
  const seen = async (place: string, count: number) => {
    const steps: bigint[] = [];
    let [last, wasReset] = ["", false];
    for await (const message of client.watchMetrics({ experiment, place })) {
      steps.push(...message.steps.map(({ microStep }) => microStep));
      last = message.place;
      wasReset ||= message.reset;
      if (steps.length >= count) break;
    }
    return { steps, last, wasReset };
  };
  const isThere = () =>
    seen("", 0).then(
      () => true,
      () => false,
    );
  await until(isThere, patient);
  const first = await until(async () => {
    const { last } = await seen("", 0);
    return (await client.queryMetrics({ experiment, metrics: ["train/loss"] })).series[0]?.buckets.length === 3 && last;
  }, patient);
  const { last } = await seen("", 0);
  assert.equal(last, first);
  await publishAll(broker, stepsBetween(3, 6));
  const { steps, wasReset } = await seen(last, 3);
  assert.deepEqual([steps, wasReset], [[4n, 5n, 6n], false]);
  assert.equal((await seen("ffffffff-3", 0)).wasReset, true);
});
