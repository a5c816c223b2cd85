import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { create, type DescMessage, isMessage, type Message, type MessageShape } from "@bufbuild/protobuf";
import { Unavailable } from "@pretrain/errors";
import { type Broker, type EventKind, events } from "@pretrain/events";
import { createLog } from "@pretrain/observability";
import { type LogLine, LogLineSchema } from "@pretrain/proto";
import { openSpool } from "@pretrain/spool";
import { type TestScope, temporaryDirectory, until } from "@pretrain/testing";
import { Outbox } from "./outbox.ts";

const log = createLog("test", "fatal" as "error");
const line = (number: number) => create(LogLineSchema, { experiment: "experiments/a", number: BigInt(number) });
const forEver = new AbortController().signal;

/** A broker that can be away, and that answers when it likes. */
function brokerOf(isThere: (number: number) => boolean) {
  const published: number[] = [];
  const publish = async <Schema extends DescMessage>(_: EventKind<string, Schema>, message: MessageShape<Schema>) => {
    const { number } = fromLine(message);
    await new Promise((resolve) => setTimeout(resolve, Number(number) % 3)); // answers overtake each other
    if (!isThere(Number(number))) throw new Unavailable("PUBLISH_UNKNOWN", "no answer");
    published.push(Number(number));
    return { duplicate: false };
  };
  const ask: Broker["ask"] = () => Promise.reject(new Unavailable("NO_ANSWER", "there is no ledger"));
  return { published, broker: { publish, ask } };
}

function fromLine(message: Message): LogLine {
  assert.ok(isMessage(message, LogLineSchema));
  return message;
}

function spoolIn(t: TestScope) {
  const folder = join(temporaryDirectory(t), "spool");
  return () => openSpool(folder, { limitBytes: 6 * 1024 * 1024 });
}

test("everything put is published, and is not published again by the next process", async (t) => {
  const open = spoolIn(t);
  const { published, broker } = brokerOf(() => true);
  {
    await using outbox = new Outbox(open(), broker, log);
    for (let number = 1; number <= 200; number += 1) outbox.put(events.log, line(number));
    await outbox.drained(forEver);
    assert.deepEqual(
      published.toSorted((a, b) => a - b),
      Array.from({ length: 200 }, (_, i) => i + 1),
    );
  }
  using spool = open();
  assert.deepEqual([spool.length, spool.kept], [0, 200]);
});

test("while the broker is away events wait, and are published when it is back, also by the next process", async (t) => {
  const open = spoolIn(t);
  const away = brokerOf(() => false);
  const first = new Outbox(open(), away.broker, log);
  for (let number = 1; number <= 10; number += 1) first.put(events.log, line(number));
  await assert.rejects(first.drained(AbortSignal.timeout(50)));
  await first.close(1);
  const back = brokerOf(() => true);
  await using second = new Outbox(open(), back.broker, log);
  second.put(events.log, line(11));
  await second.drained(forEver);
  assert.deepEqual(
    back.published.toSorted((a, b) => a - b),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
  );
});

test("what was put before is acknowledged behind its last answer, also when the broker has none for what came later", async (t) => {
  let last = 5;
  const { published, broker } = brokerOf((number) => number <= last);
  await using outbox = new Outbox(spoolIn(t)(), broker, log);
  for (let number = 1; number <= 5; number += 1) outbox.put(events.log, line(number));
  const five = outbox.acknowledged(forEver);
  for (let number = 6; number <= 8; number += 1) outbox.put(events.log, line(number));
  await five;
  assert.deepEqual(new Set(published), new Set([1, 2, 3, 4, 5]));
  await assert.rejects(outbox.acknowledged(AbortSignal.timeout(50)));
  last = 8;
  await outbox.acknowledged(forEver);
  assert.equal(Math.max(...published), 8);
});

test("one event without an answer holds back the confirmation of those behind it, which are published again", async (t) => {
  const open = spoolIn(t);
  let refusals = 1;
  const { published, broker } = brokerOf((number) => number !== 3 || (refusals -= 1) < 0);
  await using outbox = new Outbox(open(), broker, log);
  for (let number = 1; number <= 5; number += 1) outbox.put(events.log, line(number));
  await outbox.drained(forEver);
  assert.deepEqual(
    [...new Set(published)].toSorted((a, b) => a - b),
    [1, 2, 3, 4, 5],
  );
  assert.equal(published.filter((number) => number === 1).length, 1);
});

test("when the disk's share is used up, training waits for room and gets it", async (t) => {
  const open = spoolIn(t);
  let there = false;
  const { broker } = brokerOf(() => there);
  await using outbox = new Outbox(open(), broker, log);
  const message = create(LogLineSchema, { experiment: "experiments/a", message: "x".repeat(900_000) });
  await outbox.roomy(forEver);
  for (let i = 0; i < 3; i += 1) outbox.put(events.log, message);
  let waited = true;
  const room = outbox.roomy(forEver).then(() => void (waited = false));
  await until(() => waited);
  there = true;
  await room;
});
