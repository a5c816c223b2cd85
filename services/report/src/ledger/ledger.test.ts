/** The ledger's promise: each event once, whatever the order and number of deliveries, and only what was committed. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { FailedPrecondition, ResourceExhausted } from "@pretrain/errors";
import { LogLine_Level, StepMetricSchema } from "@pretrain/proto";
import { temporaryDirectory } from "@pretrain/testing";
import fc from "fast-check";
import { acceptedItems } from "../record/accepted.ts";
import { contentOf, ledgerOf } from "../test-support/ledger-of.ts";
import { attempt, beginning, log, runEvents } from "../test-support/run-events.ts";
import { runShape } from "../test-support/run-shape.ts";
import { stepEvents } from "../test-support/step-events.ts";
import { EventWriter } from "./event-writer.ts";
import type { LedgerEvent } from "./ledger-event.ts";
import { openLedger } from "./open-ledger.ts";
import { readEvents, readHistory } from "./read-history.ts";
import { readSteps } from "./read-steps.ts";

const shape = runShape({ stepsPerEpoch: 8, saveInterval: 8 });
const run = runEvents(shape);

/** Two events of one identity: the second later, the third at the same time as the second. */
const contradicting: LedgerEvent[] = [
  log(shape, 7, shape.startMs, LogLine_Level.INFO, "first content"),
  log(shape, 7, shape.startMs + 5, LogLine_Level.INFO, "second content"),
  log(shape, 7, shape.startMs + 5, LogLine_Level.INFO, "third content"),
  stepEvents(shape, { attempt: 1, microStep: 3, endMs: shape.startMs + 99_000 }, () => 0.5)[0],
].flatMap((event) => (event === undefined ? [] : [event]));

test("of two contents that claim one identity the later is shown, the other kept and named", () => {
  using ledger = ledgerOf([...run, ...contradicting]);
  const history = readHistory(ledger, "1-4-0");
  assert.equal(history?.log.find(({ number }) => number === 7n)?.message, "third content");
  assert.equal([...(history?.steps ?? [])][2]?.timeMs, shape.startMs + 99_000);
  assert.deepEqual(history?.contradictions, [
    { kind: "log", attempt: 1, number: 7, detail: "" },
    { kind: "step", attempt: 1, number: 3, detail: "" },
  ]);
});

test("a repetition changes nothing and says so; a new event names its experiment", () => {
  using ledger = openLedger(":memory:");
  const writer = new EventWriter(ledger);
  assert.deepEqual(writer.append(run).changed, new Set(["1-4-0"]));
  assert.deepEqual(writer.append(run.slice(3, 30)).changed, new Set());
  assert.deepEqual(writer.append(runEvents({ ...shape, id: "2-0-0" }).slice(0, 2)).changed, new Set(["2-0-0"]));
});

test("an event that cannot be kept is passed over with its reason, and keeps no other out", () => {
  using ledger = openLedger(":memory:");
  const time = timestampFromMs(0);
  const bad = [
    { experiment: "datasets/x" },
    { experiment: "experiments/1-4-0", microStep: 2n ** 62n },
    { experiment: "experiments/1-4-0" },
    { experiment: "experiments/1-4-0", time, tokensSeen: 2n ** 62n },
    { experiment: "experiments/1-4-0", time, lossNats: Number.NaN },
    { experiment: "experiments/1-4-0", time, attemptNonce: "a/b" },
  ];
  const events = bad.map((fields): LedgerEvent => ({ kind: "step", message: create(StepMetricSchema, fields) }));
  const { changed, refused } = new EventWriter(ledger).append([...events, ...run.slice(0, 3)]);
  assert.deepEqual(changed, new Set(["1-4-0"]));
  assert.equal(refused.length, bad.length);
  assert.match(refused[0]?.reason ?? "", /step.experiment.*datasets\/x/);
  assert.match(refused[1]?.reason ?? "", /4611686018427387904/);
  assert.match(refused[2]?.reason ?? "", /step.time/);
  assert.match(refused[3]?.reason ?? "", /step.tokens_seen/);
  assert.match(refused[4]?.reason ?? "", /step.loss_nats/);
  assert.match(refused[5]?.reason ?? "", /step.attempt_nonce/);
  assert.equal(ledger.database.prepare("SELECT COUNT(*) AS count FROM events").get()?.["count"], 3);
});

test("what was appended is there after the process ends without closing the file, and nothing half", (t) => {
  const path = join(temporaryDirectory(t), "state", "ledger.sqlite");
  using ledger = openLedger(path);
  new EventWriter(ledger).append(run);
  ledger.database.exec("BEGIN; DELETE FROM events"); // a transaction that never commits
  const copy = join(temporaryDirectory(t), "copy.sqlite"); // the files as a kill would leave them
  for (const ending of ["", "-wal"]) writeFileSync(copy + ending, readFileSync(path + ending));
  using reopened = openLedger(copy);
  assert.equal(reopened.id, ledger.id);
  assert.equal([...readSteps(reopened, "1-4-0")].length, 24);
});

test("the disk's end is RESOURCE_EXHAUSTED, undoes the batch, and goes on when there is space again", (t) => {
  using ledger = openLedger(join(temporaryDirectory(t), "ledger.sqlite"));
  const writer = new EventWriter(ledger);
  writer.append(run.slice(0, 5));
  const before = contentOf(ledger);
  ledger.database.exec("PRAGMA max_page_count = 18");
  assert.throws(() => writer.append(run), ResourceExhausted);
  assert.deepEqual(contentOf(ledger), before);
  ledger.database.exec("PRAGMA max_page_count = 1000000");
  writer.append(run);
  assert.deepEqual(contentOf(ledger), contentOf(ledgerOf(run)));
});

test("a file of another version, or that is no ledger, is refused by name and left as it is", (t) => {
  const folder = temporaryDirectory(t);
  const newer = join(folder, "newer.sqlite");
  const database = new DatabaseSync(newer);
  database.exec("PRAGMA user_version = 9");
  database.close();
  assert.throws(
    () => openLedger(newer),
    (error) =>
      error instanceof FailedPrecondition && error.reason === "LEDGER_VERSION" && error.message.includes(newer),
  );
  const text = join(folder, "text.sqlite");
  writeFileSync(text, "this is no database, but it is long enough to have a header of one".repeat(20));
  assert.throws(
    () => openLedger(text),
    (error) => error instanceof FailedPrecondition && error.reason === "LEDGER_DAMAGED",
  );
  assert.match(readFileSync(text, "utf8"), /^this is no database/);
});

test("two ledgers have two ids, so that an empty one is filled by consumers of its own", () => {
  assert.match(openLedger(":memory:").id, /^[0-9a-f]{8}$/);
  assert.notEqual(openLedger(":memory:").id, openLedger(":memory:").id);
});

test("the accepted steps in SQL are those of the plain rule, for any attempts", () => {
  const attempts = fc.array(
    fc.record({ from: fc.integer({ min: 0, max: 12 }), length: fc.integer({ min: 0, max: 12 }) }),
    { minLength: 1, maxLength: 5 },
  );
  fc.assert(
    fc.property(attempts, (held) => {
      const events = held.flatMap(({ from, length }, index) => [
        attempt(shape, index + 1, shape.startMs + index, from),
        ...Array.from(
          { length },
          (_, step) =>
            stepEvents(shape, { attempt: index + 1, microStep: from + step + 1, endMs: shape.startMs }, () => 0)[0],
        ),
      ]);
      using ledger = ledgerOf([
        ...beginning(shape).slice(0, 1),
        ...events.flatMap((event) => (event === undefined ? [] : [event])),
      ]);
      const plain = acceptedItems(
        readEvents(ledger, "1-4-0", "step"),
        ({ attempt: number, microStep }) => ({ attempt: number, microStep: Number(microStep) }),
        readEvents(ledger, "1-4-0", "attempt").map((begun) => ({
          attempt: begun.attempt,
          resumedFrom: Number(begun.resumedFromMicroStep),
        })),
      );
      const bySql = [...readSteps(ledger, "1-4-0")].map(({ attempt: number, microStep }) => [number, microStep]);
      assert.deepEqual(
        bySql,
        plain.map(({ attempt: number, microStep }) => [number, Number(microStep)]),
      );
    }),
    { numRuns: 60 },
  );
});
