/** A broker that comes late, and one whose streams somebody deletes, against a real server. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { freePort } from "@pretrain/free-ports";
import { startNatsServer } from "@pretrain/nats-server";
import { createLog } from "@pretrain/observability";
import { EvaluateWorkSchema, StepMetricSchema } from "@pretrain/proto";
import { temporaryDirectory, until } from "@pretrain/testing";
import { events, standingBroker, work } from "./index.ts";
import { streamNames } from "./topology.ts";

const log = createLog("standing-test", "fatal");
const patience = { timeoutMs: 60_000 };
const step = (microStep: bigint) =>
  create(StepMetricSchema, { experiment: "experiments/a", attempt: 1, attemptNonce: "a", microStep });

test("a broker that starts after its service is waited for", async (t) => {
  const running = new AsyncDisposableStack();
  t.after(() => running.disposeAsync()); // before the folder's own: hooks run in the order of registration
  const storeDirectory = join(temporaryDirectory(t), "nats");
  const port = await freePort();
  let isThere = false;
  const waiting = standingBroker({ url: `nats://127.0.0.1:${port}`, name: "early", log }).then((broker) => {
    isThere = true;
    return running.use(broker);
  });
  assert.equal(isThere, false);
  running.use(await startNatsServer({ port, storeDirectory }));
  const broker = await waiting;
  assert.deepEqual(await broker.publish(events.step, step(1n)), { duplicate: false });
});

test("streams, buckets and queues that are deleted are made anew, and whoever consumed or took work goes on", async (t) => {
  const running = new AsyncDisposableStack();
  t.after(() => running.disposeAsync());
  const storeDirectory = join(temporaryDirectory(t), "nats");
  const server = running.use(await startNatsServer({ port: 0, storeDirectory }));
  const broker = running.use(await standingBroker({ url: server.url, name: "standing", log }));
  const consumed: bigint[] = [];
  const taken: string[] = [];
  running.use(
    await broker.consume("PRETRAIN_METRICS", { durable: "ledger", batch: 10 }, async (batch) => {
      for (const event of batch) if (event.kind === "step") consumed.push(event.message.microStep);
    }),
  );
  const stop = new AbortController();
  const taking = (async () => {
    for await (const piece of broker.takeWork([work.evaluate], { signal: stop.signal })) {
      taken.push(piece.message.evaluation);
      await piece.done();
    }
  })();
  running.defer(async () => {
    stop.abort();
    await taking;
  });
  await broker.publish(events.step, step(1n));
  await until(() => consumed.length === 1, patience);

  const nats = await connect({ servers: server.url });
  running.defer(() => nats.close());
  const { streams } = await jetstreamManager(nats);
  for (const name of streamNames) await streams.delete(name);
  const areThere = async () => {
    const names = await Array.fromAsync(streams.names());
    return streamNames.every((name) => names.includes(name));
  };
  await until(areThere, patience);
  const isPublished = () => broker.publish(events.step, step(2n)).then(Boolean, () => false);
  await until(isPublished, patience);
  await until(() => consumed.includes(2n), patience);
  const piece = create(EvaluateWorkSchema, { evaluation: "evaluations/a" });
  const isEnqueued = () =>
    broker.enqueue(work.evaluate, piece, "a").then(
      () => true,
      () => false,
    );
  await until(isEnqueued, patience);
  await until(() => taken.length === 1, patience);
});
