/** The broker as services use it, against a real server: stored once, delivered until dealt with, changed by one at a time. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect, nanos } from "@nats-io/transport-node";
import { Aborted, AlreadyExists, Unavailable } from "@pretrain/errors";
import { startNatsServer } from "@pretrain/nats-server";
import { createLog } from "@pretrain/observability";
import {
  Dataset_State,
  DatasetSchema,
  EvaluateWorkSchema,
  LeaseSchema,
  StateChangedSchema,
  StepMetricSchema,
  TrainWorkSchema,
} from "@pretrain/proto";
import { temporaryDirectory, until } from "@pretrain/testing";
import { connectBroker, type Delivered, ensureTopology, events, trainingWork, work } from "./index.ts";

const log = createLog("events-test", "fatal");

async function setUp(t: TestContext) {
  const running = new AsyncDisposableStack();
  t.after(() => running.disposeAsync()); // before the folder's own: hooks run in the order of registration
  const storeDirectory = temporaryDirectory(t);
  const server = running.use(await startNatsServer({ port: 0, storeDirectory }));
  const broker = running.use(await connectBroker({ url: server.url, name: "test", log }));
  await ensureTopology(broker);
  return { server, broker, storeDirectory };
}

const step = (microStep: number) =>
  create(StepMetricSchema, {
    experiment: "experiments/1-4-0",
    attempt: 1,
    attemptNonce: "a",
    microStep: BigInt(microStep),
    lossNats: 2.5,
  });

test("the topology can be ensured again, by anybody, at any time", async (t) => {
  const { broker } = await setUp(t);
  await broker.publish(events.step, step(1));
  await Promise.all([ensureTopology(broker), ensureTopology(broker)]);
  assert.deepEqual(await broker.publish(events.step, step(1)), { duplicate: true }, "nothing was made anew");
});

test("an event is a readable JSON object under the experiment's subject, with its identity and schema in the headers", async (t) => {
  const { server, broker } = await setUp(t);
  const nats = await connect({ servers: server.url });
  t.after(() => nats.close());
  const subscription = nats.subscribe("pretrain.metrics.>", { max: 1 });
  await nats.flush();
  await broker.publish(events.step, step(7));
  for await (const message of subscription) {
    assert.equal(message.subject, "pretrain.metrics.1-4-0.step");
    assert.deepEqual(JSON.parse(message.string()), {
      experiment: "experiments/1-4-0",
      attempt: 1,
      attemptNonce: "a",
      microStep: "7",
      lossNats: 2.5,
    });
    assert.equal(message.headers?.get("Nats-Msg-Id"), "step/1-4-0/1/a/7");
    assert.equal(message.headers?.get("Pretrain-Schema"), "pretrain.events.v1.StepMetric");
    assert.equal(message.headers?.get("Content-Type"), "application/json");
  }
});

test("the same event twice is stored once; the same step of another kind or attempt is another event", async (t) => {
  const { broker } = await setUp(t);
  const sample = { experiment: "experiments/1-4-0", attempt: 1, attemptNonce: "a", microStep: 1n };
  assert.deepEqual(await broker.publish(events.step, step(1)), { duplicate: false });
  assert.deepEqual(await broker.publish(events.step, step(1)), { duplicate: true });
  assert.deepEqual(
    await broker.publish(events.memory, {
      ...sample,
      $typeName: "pretrain.events.v1.MemorySample",
      rssBytes: 0n,
      peakRssBytes: 0n,
      tensorBytes: 0n,
      tensors: 0n,
    }),
    { duplicate: false },
  );
  assert.deepEqual(await broker.publish(events.step, { ...step(1), attempt: 2 }), { duplicate: false });
});

test("a consumer gets every event in order, again when it failed, and goes on where it stopped", async (t) => {
  const { broker } = await setUp(t);
  for (let number = 1; number <= 20; number += 1) await broker.publish(events.step, step(number));
  const seen: bigint[] = [];
  let failures = 1;
  const handle = async (batch: readonly Delivered[]) => {
    if (failures-- > 0) throw new Error("the disk is full");
    for (const event of batch) if (event.kind === "step") seen.push(event.message.microStep);
  };
  const first = await broker.consume("PRETRAIN_METRICS", { durable: "ledger", batch: 6 }, handle);
  await until(() => new Set(seen).size === 20, { timeoutMs: 20_000 });
  await first[Symbol.asyncDispose]();
  assert.deepEqual(
    seen,
    Array.from({ length: 20 }, (_, index) => BigInt(index + 1)),
  );

  await broker.publish(events.step, step(21));
  const second = await broker.consume("PRETRAIN_METRICS", { durable: "ledger", batch: 6 }, handle);
  await until(() => seen.includes(21n), { timeoutMs: 10_000 });
  await second[Symbol.asyncDispose]();
  assert.equal(seen.filter((number) => number === 1n).length, 1, "what was dealt with does not come again");
});

test("what arrives while a consumer keeps its process busy is one batch: writing to a disk costs as much for many as for one", async (t) => {
  const { broker } = await setUp(t);
  await Promise.all(Array.from({ length: 300 }, (_, index) => broker.publish(events.step, step(index + 1))));
  const sizes: number[] = [];
  const consumption = await broker.consume("PRETRAIN_METRICS", { durable: "ledger", batch: 300 }, (batch) => {
    sizes.push(batch.length);
    const busyUntil = performance.now() + 20;
    while (performance.now() < busyUntil); // as a transaction of SQLite's does
    return Promise.resolve();
  });
  t.after(() => consumption[Symbol.asyncDispose]());
  await until(() => sizes.reduce((sum, size) => sum + size, 0) === 300);
  assert.ok(sizes.length <= 30, `300 events came in ${sizes.length} batches: ${sizes.join(", ")}`);
});

test("a message that is no event, or cannot be read, does not stop a consumer", async (t) => {
  const { server, broker } = await setUp(t);
  const nats = await connect({ servers: server.url });
  t.after(() => nats.close());
  const deep = `{"a":${"[".repeat(100_000)}`;
  for (const text of ["{", deep, '{"microStep":"x"}', "\u00ff"]) nats.publish("pretrain.metrics.1-4-0.step", text);
  nats.publish("pretrain.metrics.1-4-0.surprise", "{}");
  await nats.flush();
  await broker.publish(events.step, step(1));
  const seen: string[] = [];
  const consumption = await broker.consume("PRETRAIN_METRICS", { durable: "ledger", batch: 10 }, async (batch) => {
    seen.push(...batch.map(({ kind }) => kind));
  });
  await until(() => seen.length > 0, { timeoutMs: 10_000 });
  await consumption[Symbol.asyncDispose]();
  assert.deepEqual(seen, ["step"]);
});

test("whoever follows an experiment sees its events and no other's", async (t) => {
  const { broker } = await setUp(t);
  await broker.publish(events.state, create(StateChangedSchema, { experiment: "experiments/a", sequence: 1 }));
  await broker.publish(events.state, create(StateChangedSchema, { experiment: "experiments/b", sequence: 1 }));
  await broker.publish(events.state, create(StateChangedSchema, { experiment: "experiments/a", sequence: 2 }));
  const stop = new AbortController();
  const sequences: number[] = [];
  for await (const { message } of broker.follow(
    { experiment: "experiments/a", kinds: ["state"], from: "all" },
    stop.signal,
  )) {
    sequences.push(message.sequence);
    if (sequences.length === 2) stop.abort();
  }
  assert.deepEqual(sequences, [1, 2]);
});

test("a piece of work is held while its worker lives, and comes again when it is handed back", async (t) => {
  const { broker } = await setUp(t);
  assert.equal(await broker.hasWork(work.train), false);
  await broker.enqueue(work.train, create(TrainWorkSchema, { experiment: "experiments/a" }), "a");
  await broker.enqueue(work.train, create(TrainWorkSchema, { experiment: "experiments/a" }), "a");
  await broker.enqueue(work.evaluate, create(EvaluateWorkSchema, { evaluation: "evaluations/a-1" }), "a-1");
  assert.equal(await broker.hasWork(work.train), true);
  assert.deepEqual(await broker.workload(work.train), { waiting: 1, inHands: 0 });

  const deliveries: number[] = [];
  const signal = AbortSignal.timeout(20_000);
  for await (const piece of broker.takeWork([work.train], { signal, idleMs: 1500 })) {
    assert.equal(piece.message.experiment, "experiments/a");
    assert.deepEqual(await broker.workload(work.train), { waiting: 0, inHands: 1 });
    deliveries.push(piece.deliveries);
    if (deliveries.length < 3) piece.again(10);
    else await piece.done();
  }
  assert.deepEqual(deliveries, [1, 2, 3]);
  assert.equal(await broker.hasWork(work.train), false);
  assert.equal(await broker.hasWork(work.evaluate), true, "the other queue is untouched");
});

test("of several queues the most urgent one with work comes first, whatever came in first", async (t) => {
  const { broker } = await setUp(t);
  for (const [kind, id] of [
    [work.trainLow, "low"],
    [work.train, "normal"],
    [work.trainHigh, "high"],
  ] as const) {
    await broker.enqueue(kind, create(TrainWorkSchema, { experiment: `experiments/${id}` }), id);
  }
  const taken: string[] = [];
  const signal = AbortSignal.timeout(60_000);
  for await (const piece of broker.takeWork(trainingWork, { signal, idleMs: 500 })) {
    taken.push(piece.message.experiment);
    await piece.done();
  }
  assert.deepEqual(taken, ["experiments/high", "experiments/normal", "experiments/low"]);
});

test("a more urgent piece preempts the one in hand if it is due, and comes next; the other one is not lost", async (t) => {
  const { broker } = await setUp(t);
  const enqueue = (kind: (typeof trainingWork)[number], id: string) =>
    broker.enqueue(kind, create(TrainWorkSchema, { experiment: `experiments/${id}` }), id);
  await enqueue(work.train, "normal");
  const taken: string[] = [];
  const stop = new AbortController();
  const isDue = async ({ experiment }: { readonly experiment: string }) => experiment !== "experiments/not-due";
  for await (const piece of broker.takeWork(trainingWork, { signal: stop.signal, isDue })) {
    taken.push(piece.message.experiment);
    if (taken.length === 1) {
      await enqueue(work.trainHigh, "not-due");
      await until(async () => (await broker.hasWork(work.trainHigh)) && !piece.preempted.aborted, {
        timeoutMs: 20_000,
      });
      await enqueue(work.trainHigh, "due");
      await until(() => piece.preempted.aborted, { timeoutMs: 20_000 });
      piece.again(0);
    } else await piece.done();
    if (taken.length === 4) stop.abort();
  }
  assert.deepEqual(taken.slice(0, 3), ["experiments/normal", "experiments/due", "experiments/normal"]);
  assert.equal(taken[3], "experiments/not-due"); // it was handed back, to be taken later
});

test("of many who make the queues at once, the one who says how long they wait is heard", async (t) => {
  const running = new AsyncDisposableStack();
  t.after(() => running.disposeAsync());
  const server = running.use(await startNatsServer({ port: 0, storeDirectory: temporaryDirectory(t) }));
  const broker = running.use(await connectBroker({ url: server.url, name: "test", log }));
  const others = Array.from({ length: 5 }, () => ensureTopology(broker));
  await Promise.all([...others, ensureTopology(broker, { ackWaitMs: { train: 2_000 } })]);
  const nats = await connect({ servers: server.url });
  running.defer(() => nats.close());
  const { config } = await (await jetstreamManager(nats)).consumers.info("PRETRAIN_WORK", "train");
  assert.equal(config.ack_wait, nanos(2_000));
});

test("how long a queue waits for a word of its worker is set by who runs it, and kept by the others", async (t) => {
  const { server, broker } = await setUp(t);
  await ensureTopology(broker, { ackWaitMs: { train: 1_000 } });
  await ensureTopology(broker);
  const nats = await connect({ servers: server.url });
  t.after(() => nats.close());
  const { config } = await (await jetstreamManager(nats)).consumers.info("PRETRAIN_WORK", "train");
  assert.equal(config.ack_wait, nanos(1_000));
  await broker.enqueue(work.train, create(TrainWorkSchema, { experiment: "experiments/a" }), "a");
  const silent = new AbortController();
  for await (const piece of broker.takeWork([work.train], { signal: silent.signal })) {
    piece.leave(); // and not another word of it
    silent.abort();
  }
  for await (const piece of broker.takeWork([work.train], { signal: AbortSignal.timeout(20_000) })) {
    assert.equal(piece.deliveries, 2);
    await piece.done();
    break;
  }
});

test("an expiring record goes away unless it is renewed, and is renewed or removed only by who has seen its last version", async (t) => {
  const { broker } = await setUp(t);
  const leases = await broker.expiringRecords("pretrain_leases", LeaseSchema);
  const [ours, theirs] = [create(LeaseSchema, { attempt: 1 }), create(LeaseSchema, { attempt: 2 })];
  const first = await leases.create("a", ours, 1_000);
  await assert.rejects(leases.create("a", theirs, 1_000), AlreadyExists);
  const second = await leases.renew("a", ours, first, 1_000);
  await assert.rejects(leases.renew("a", theirs, first, 1_000), Aborted);
  assert.deepEqual(await leases.get("a"), { key: "a", value: ours, revision: second });
  await until(async () => (await leases.get("a")) === undefined, { timeoutMs: 20_000 });
  await assert.rejects(leases.renew("a", ours, second, 1_000), Aborted);
  const third = await leases.create("a", theirs, 60_000);
  await assert.rejects(leases.remove("a", second), Aborted);
  await leases.remove("a", third);
  assert.equal(await leases.get("a"), undefined);
  await leases.create("a", ours, 1_000); // over the mark of its end
});

test("a record is made once and changed only by who has seen its last version", async (t) => {
  const { broker } = await setUp(t);
  const records = await broker.records("pretrain_datasets", DatasetSchema);
  const pending = create(DatasetSchema, { name: "datasets/a", state: Dataset_State.PENDING });
  const revision = await records.create("a", pending);
  await assert.rejects(records.create("a", pending), AlreadyExists);
  const next = await records.update("a", { ...pending, state: Dataset_State.READY }, revision);
  await assert.rejects(records.update("a", pending, revision), Aborted);
  assert.deepEqual(await records.get("a"), {
    key: "a",
    value: { ...pending, state: Dataset_State.READY },
    revision: next,
  });
  assert.equal(await records.get("b"), undefined);
  const [one, other] = await Promise.all([records.get("a"), records.get("a")]);
  assert.equal(one, other, "who asks at the same time is given the same");
  assert.throws(() => Object.assign(one?.value ?? {}, { rows: 1n }), TypeError, "and nobody can change it");
  assert.deepEqual(
    (await records.list()).map(({ key }) => key),
    ["a"],
  );
});

test("a watch shows the record as it is, then each change", async (t) => {
  const { broker } = await setUp(t);
  const records = await broker.records("pretrain_datasets", DatasetSchema);
  let revision = await records.create("a", create(DatasetSchema, { name: "datasets/a", bytesRead: 1n }));
  const stop = new AbortController();
  const seen: bigint[] = [];
  for await (const { value } of records.watch("a", stop.signal)) {
    seen.push(value.bytesRead);
    if (value.bytesRead === 3n) stop.abort();
    else revision = await records.update("a", { ...value, bytesRead: value.bytesRead + 1n }, revision);
  }
  assert.deepEqual(seen, [1n, 2n, 3n]);
});

test("a broker that dies and comes back loses nothing, and everybody goes on", async (t) => {
  const { server, broker, storeDirectory } = await setUp(t);
  const port = Number(new URL(server.url).port);
  const seen = new Set<bigint>();
  const consumption = await broker.consume("PRETRAIN_METRICS", { durable: "ledger", batch: 10 }, async (batch) => {
    for (const event of batch) if (event.kind === "step") seen.add(event.message.microStep);
  });
  await broker.publish(events.step, step(1));
  process.kill(server.pid, "SIGKILL");
  await server.exited;
  await assert.rejects(broker.publish(events.step, step(2)), Unavailable);
  const again = await startNatsServer({ port, storeDirectory });
  t.after(() => again.stop());
  await until(
    async () =>
      broker.publish(events.step, step(2)).then(
        () => true,
        () => false,
      ),
    { timeoutMs: 20_000 },
  );
  await broker.publish(events.step, step(3));
  await until(() => seen.size === 3, { timeoutMs: 40_000 });
  await consumption[Symbol.asyncDispose]();
});

test("a broker that is not there is named, with the variable to change", async () => {
  await assert.rejects(connectBroker({ url: "nats://127.0.0.1:9", name: "test", log }), (error) => {
    assert.ok(error instanceof Unavailable);
    assert.match(error.message, /nats:\/\/127\.0\.0\.1:9: no NATS server answers .* PRETRAIN_NATS_URL/);
    return true;
  });
});
