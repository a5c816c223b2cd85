/** Three servers that keep every stream three times, with certificates and permissions as on a cluster: one of them may be lost. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { create } from "@bufbuild/protobuf";
import { jetstreamManager, type StreamInfo } from "@nats-io/jetstream";
import { freePorts } from "@pretrain/free-ports";
import type { NatsServer } from "@pretrain/nats-server";
import { StepMetricSchema } from "@pretrain/proto";
import { until } from "@pretrain/testing";
import { type Broker, events } from "./index.ts";
import { closedPlace, type Place, plainClient, standingBrokerOf } from "./test-support/closed-broker.ts";
import { streamNames } from "./topology.ts";

const patience = { timeoutMs: 120_000 };
const eventCount = 100;
const step = (microStep: number) =>
  create(StepMetricSchema, {
    experiment: "experiments/a",
    attempt: 1,
    attemptNonce: "a",
    microStep: BigInt(microStep),
  });

interface Cluster {
  readonly url: string;
  readonly routes: readonly number[];
  /** By name. */
  readonly servers: Map<string, NatsServer>;
  readonly start: (name: string) => Promise<void>;
}

async function startCluster(place: Place): Promise<Cluster> {
  const names = ["nats-0", "nats-1", "nats-2"];
  const [ports, routes] = [await freePorts(names.length), await freePorts(names.length)];
  const members = routes.map((port) => `127.0.0.1:${port}`);
  const servers = new Map<string, NatsServer>();
  const start = async (name: string) => {
    const index = names.indexOf(name);
    const cluster = { serverName: name, port: routes[index] ?? 0, members };
    servers.set(
      name,
      await place.serve({ port: ports[index] ?? 0, storeDirectory: join(place.folder, name), cluster }),
    );
  };
  await Promise.all(names.map(start));
  return { url: ports.map((port) => `nats://127.0.0.1:${port}`).join(","), routes, servers, start };
}

/** What the servers say of a stream, asked until they answer: to a client of the test's own, since a service has no use for it. */
async function streamInfo(place: Place, url: string, stream: string): Promise<StreamInfo> {
  const nats = await plainClient(place, url, "trainer");
  try {
    return await until(async () => (await jetstreamManager(nats)).streams.info(stream), patience);
  } finally {
    await nats.close();
  }
}

/** Publishes until the broker has it, as the trainer's spool does. */
async function publishSurely(worker: Broker, microStep: number): Promise<void> {
  const isThere = () =>
    worker.publish(events.step, step(microStep)).then(
      () => true,
      () => false,
    );
  await until(isThere, patience);
}

/** Every step event that the stream holds, in its order. */
async function stored(report: Broker, durable: string): Promise<number[]> {
  const { last } = await report.extentOf("PRETRAIN_METRICS");
  const found: number[] = [];
  let seen = 0;
  await using _ = await report.consume("PRETRAIN_METRICS", { durable, batch: 100 }, async (batch) => {
    for (const event of batch) {
      if (event.deliveries === 1 && event.kind === "step") found.push(Number(event.message.microStep));
      seen = event.streamSequence;
    }
  });
  await until(() => seen === last, patience);
  return found;
}

test("given three servers, the loss of the one that leads a stream loses no acknowledged event, and it comes back", async (t: TestContext) => {
  const place = await closedPlace(t);
  const { url, servers, start, routes } = await startCluster(place);
  const trainer = await standingBrokerOf(place, url, "trainer", { replicas: 3 });
  for (const stream of streamNames) assert.equal((await streamInfo(place, url, stream)).config.num_replicas, 3, stream);

  const worker = await standingBrokerOf(place, url, "trainer-worker");
  const report = await standingBrokerOf(place, url, "report");
  const taken = new Set<number>();
  place.running.use(
    await report.consume("PRETRAIN_METRICS", { durable: "report-1", batch: 50 }, async (batch) => {
      for (const event of batch) if (event.kind === "step") taken.add(Number(event.message.microStep));
    }),
  );
  const leader = (await streamInfo(place, url, "PRETRAIN_METRICS")).cluster?.leader ?? "";
  const lost = servers.get(leader);
  assert.ok(lost, `no server is called "${leader}"`);
  for (let number = 1; number <= eventCount; number += 1) {
    if (number === eventCount / 2) process.kill(lost.pid, "SIGKILL"); // the consumer and the publisher are in the middle of it
    await publishSurely(worker, number);
  }
  await until(() => taken.size === eventCount, patience);
  const expected = Array.from({ length: eventCount }, (_, index) => index + 1);
  assert.deepEqual(await stored(report, "report-2"), expected, "each once, in order");

  await start(leader);
  const isWhole = async () => {
    const { cluster } = await streamInfo(place, url, "PRETRAIN_METRICS");
    return (cluster?.replicas ?? []).every(({ current, offline }) => current && !offline);
  };
  await until(isWhole, patience);

  // The number follows what the trainer is told at its next start.
  await trainer[Symbol.asyncDispose]();
  await standingBrokerOf(place, url, "trainer", { replicas: 1 });
  for (const stream of streamNames) assert.equal((await streamInfo(place, url, stream)).config.num_replicas, 1, stream);

  // The servers' own port takes messages of any subject: it must know them as well as clients are known.
  assert.match(await saidToMember(place, "trainer", routes[0] ?? 0), /Authorization Violation/);
  assert.doesNotMatch(await saidToMember(place, "nats", routes[0] ?? 0), /Authorization Violation/);
});

/** What a server says to whoever comes to the servers' port with a certificate. */
async function saidToMember(place: Place, identity: string, port: number): Promise<string> {
  const { certificate: cert, key, authority: ca } = place.tls(identity).material;
  const socket = connectTls({ host: "127.0.0.1", port, cert, key, ca });
  let said = "";
  socket.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  await once(socket, "secureConnect");
  socket.write(
    'CONNECT {"verbose":false,"pedantic":false,"tls_required":true,"name":"x","cluster":"pretrain"}\r\nPING\r\n',
  );
  await until(() => /-ERR|PONG/.test(said), patience);
  socket.destroy();
  return said;
}
