/**
 * F4 in small: a broker that acknowledged and forgot, a ledger that is behind, away, or refuses. What the ledger has is
 * dropped, what it lacks is published again, and nobody waits for it.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { create, type DescMessage, isMessage, type Message, type MessageShape } from "@bufbuild/protobuf";
import { Unavailable } from "@pretrain/errors";
import { type Broker, type EventKind, events } from "@pretrain/events";
import { createLog } from "@pretrain/observability";
import { LogLineSchema, MissingEventsRequestSchema, MissingEventsResponseSchema } from "@pretrain/proto";
import { openSpool, type Spool } from "@pretrain/spool";
import { type TestScope, temporaryDirectory, until } from "@pretrain/testing";
import { leftoverEvents } from "./leftover-events.ts";
import { Outbox } from "./outbox.ts";

const log = createLog("test", "fatal" as "error");
const pace = { askEveryMs: 2, patienceMs: 20 };
const line = (number: number) => create(LogLineSchema, { experiment: "experiments/a", number: BigInt(number) });
const patient = { timeoutMs: 30_000 };

function setUp(t: TestScope, limitBytes = 6 * 1024 * 1024) {
  const folder = join(temporaryDirectory(t), "spool");
  const world = {
    folder,
    /** What the broker holds and has not delivered. */
    stream: [] as string[],
    ledger: new Set<string>(),
    /** What the ledger never takes. */
    refused: "",
    publications: 0,
    /** Whether the ledger takes what the stream brings. */
    isIngesting: true,
    isAnswering: true,
    ingest() {
      if (!world.isIngesting) return;
      for (const id of world.stream.splice(0)) if (id !== world.refused) world.ledger.add(id);
    },
    questions: 0,
    open: (own = pace) => new Outbox(openSpool(folder, { limitBytes }), broker, log, own),
  };
  const broker: Pick<Broker, "publish" | "ask"> = {
    async publish<Schema extends DescMessage>(kind: EventKind<string, Schema>, message: MessageShape<Schema>) {
      world.publications += 1;
      world.stream.push(kind.messageId(message));
      world.ingest();
      return { duplicate: false };
    },
    async ask(question, asked) {
      world.questions += 1;
      if (!world.isAnswering) throw new Unavailable("NO_ANSWER", "away");
      world.ingest();
      const missing = idsOf(asked).filter((id) => !world.ledger.has(id));
      const answer: Message = create(MissingEventsResponseSchema, { ledger: "00000000", missing });
      assert.ok(isMessage(answer, question.answer));
      return answer;
    },
  };
  return world;
}

function idsOf(asked: Message): string[] {
  assert.ok(isMessage(asked, MissingEventsRequestSchema));
  return asked.messageIds;
}

function keptIn(folder: string): number {
  using spool = openSpool(folder, { limitBytes: 6 * 1024 * 1024 });
  return spool.kept + spool.length;
}

test("what the ledger has is gone from the disk", async (t) => {
  const world = setUp(t);
  const outbox = world.open();
  for (let number = 1; number <= 1500; number += 1) outbox.put(events.log, line(number));
  await until(() => outbox.kept === 0 && world.ledger.size === 1500, patient);
  await outbox.close(1000);
  assert.equal(keptIn(world.folder), 0);
});

test("a broker that comes back with an older disk is given again what the ledger lacks, and the ledger has each event", async (t) => {
  const world = setUp(t);
  await using outbox = world.open();
  world.isIngesting = false;
  for (let number = 1; number <= 40; number += 1) outbox.put(events.log, line(number));
  await until(() => outbox.kept === 40, patient);
  world.stream.splice(25); // 25 reached the copy of the disk that is put back; 15 were acknowledged for nothing
  world.isIngesting = true;
  await until(() => outbox.kept === 0, patient);
  assert.equal(world.ledger.size, 40);
});

test("a ledger that is only behind is waited for: nothing is published twice", async (t) => {
  const world = setUp(t);
  await using outbox = world.open({ askEveryMs: 2, patienceMs: patient.timeoutMs });
  world.isIngesting = false;
  for (let number = 1; number <= 5; number += 1) outbox.put(events.log, line(number));
  await until(() => world.questions > 10, patient);
  assert.equal(outbox.kept, 5);
  world.isIngesting = true;
  await until(() => outbox.kept === 0, patient);
  assert.equal(world.publications, 5);
});

test("a ledger that is away holds nobody up: what is sent gives way at the limit, and the rest is asked for later", async (t) => {
  const world = setUp(t, 6 * 1024 * 1024);
  world.isAnswering = false;
  const long = (number: number) => ({ ...line(number), message: "x".repeat(500_000) });
  const outbox = world.open();
  for (let number = 1; number <= 40; number += 1) {
    await outbox.roomy(AbortSignal.timeout(patient.timeoutMs)); // 20 MB through a spool of 6
    outbox.put(events.log, long(number));
  }
  await outbox.drained(AbortSignal.timeout(patient.timeoutMs));
  await outbox.close(0);
  assert.equal(world.ledger.size, 40);
  assert.ok(keptIn(world.folder) >= 10);
  world.isAnswering = true;
  await using next = world.open();
  await until(() => next.kept === 0, patient);
});

test("an event that the ledger never takes is published ten times again, then let go, and holds back no other", async (t) => {
  const world = setUp(t);
  world.refused = events.log.messageId(line(1));
  await using outbox = world.open({ askEveryMs: 1, patienceMs: 0 });
  outbox.put(events.log, line(1));
  outbox.put(events.log, line(2));
  await until(() => outbox.kept === 2 || world.publications > 2, patient);
  await until(() => outbox.kept === 0, patient);
  assert.equal(world.publications, 2 + 10);
  assert.deepEqual([...world.ledger], [events.log.messageId(line(2))]);
});

test("a worker that ends publishes again what the ledger is known to lack: the next one may begin much later", async (t) => {
  const world = setUp(t);
  world.isIngesting = false;
  const outbox = world.open({ askEveryMs: 2, patienceMs: patient.timeoutMs });
  outbox.put(events.log, line(1));
  await until(() => world.questions > 2, patient);
  world.stream.splice(0); // the broker has lost it
  world.isIngesting = true;
  await outbox.close(1000);
  assert.equal(world.ledger.size, 1);
});

test("a worker is started for what is to be sent at once, for what is only kept more and more seldom, else never", async (t) => {
  const world = setUp(t);
  const clock = { nowMs: 0 };
  const isDue = leftoverEvents(world.folder, () => clock.nowMs);
  const change = (what: (spool: Spool) => void) => {
    using spool = openSpool(world.folder, { limitBytes: 1000 });
    what(spool);
  };
  const dueSeconds = (to: number) => {
    const found: number[] = [];
    for (const from = clock.nowMs; clock.nowMs < from + to * 1000; clock.nowMs += 1000)
      if (isDue()) found.push((clock.nowMs - from) / 1000);
    return found;
  };
  assert.deepEqual(dueSeconds(100), []);
  change((spool) => void spool.append(new TextEncoder().encode("a")));
  assert.deepEqual(dueSeconds(3), [0, 1, 2]);
  change((spool) => spool.confirm(1));
  assert.deepEqual(dueSeconds(3), []);
  change((spool) => spool.markSent(spool.append(new TextEncoder().encode("b"))));
  assert.deepEqual(dueSeconds(300), [14, 44, 104, 224]);
  assert.deepEqual(dueSeconds(3000), [164, 644, 1244, 1844, 2444]);
});
