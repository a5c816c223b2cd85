/** An event's identity in the ledger and its `Nats-Msg-Id` are two spellings of one thing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { DescMessage } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { type EventKind, events } from "@pretrain/events";
import { AnnotationSchema, CheckpointRemovedSchema, MissingEventsRequestSchema } from "@pretrain/proto";
import { missingEvents } from "../ingest/missing-events.ts";
import { ledgerOf } from "../test-support/ledger-of.ts";
import { runEvents } from "../test-support/run-events.ts";
import { runShape } from "../test-support/run-shape.ts";
import { identityOfMessageId, type LedgerEvent, ledgerEntry } from "./ledger-event.ts";

const written = runEvents(runShape({ stepsPerEpoch: 8, saveInterval: 8 }));
const annotation = create(AnnotationSchema, {
  name: "experiments/1-4-0/annotations/a1",
  experiment: "experiments/1-4-0",
  time: { seconds: 1n },
});
const run: LedgerEvent[] = [...written, ...written.flatMap(removalOf), { kind: "annotation", message: annotation }];

/** Of a checkpoint, that it was removed. */
function removalOf({ kind, message }: LedgerEvent): LedgerEvent[] {
  if (kind !== "checkpoint") return [];
  const { $typeName: _, writeSeconds: __, ...shared } = message;
  return [{ kind: "removal", message: create(CheckpointRemovedSchema, shared) }];
}

function messageIdOf({ kind, message }: LedgerEvent): string {
  const described: EventKind<string, DescMessage> = events[kind];
  return described.messageId(message);
}

test("of every kind of event the message id says the same as the event", () => {
  const kinds = new Set(run.map(({ kind }) => kind));
  for (const kind of Object.keys(events)) if (kind !== "report") assert.ok(kinds.has(kind as "step"), kind);
  for (const event of run) {
    const { timeMs: _, payload: __, ...identity } = ledgerEntry(event);
    assert.deepEqual(identityOfMessageId(messageIdOf(event)), identity);
  }
});

test("the ledger names what it does not have, and what stands for no event at all", () => {
  using ledger = ledgerOf(run.slice(0, 20));
  const ask = (messageIds: string[]) =>
    missingEvents(ledger)(create(MissingEventsRequestSchema, { messageIds })).missing;
  const ids = run.map(messageIdOf);
  assert.deepEqual(ask(ids), ids.slice(20));
  const strange = ["", "step", "step/1-4-0/1/x/3/4", "surprise/1-4-0/1", "__proto__/1", "step/1-4-0/1/x/NaN"];
  assert.deepEqual(ask(strange), strange);
});
