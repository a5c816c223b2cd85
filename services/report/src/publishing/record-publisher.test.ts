/** Records are written when nothing more is to come, once for each content, and again after a crash at any point. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import { type BlobStore, openBlobs, sha256Hex } from "@pretrain/blobs";
import { Unavailable } from "@pretrain/errors";
import { createLog } from "@pretrain/observability";
import { Experiment_State, type ReportWritten } from "@pretrain/proto";
import { temporaryDirectory, until } from "@pretrain/testing";
import { EventWriter } from "../ledger/event-writer.ts";
import type { LedgerEvent } from "../ledger/ledger-event.ts";
import { openLedger } from "../ledger/open-ledger.ts";
import { CurrentReports } from "../reports/current-reports.ts";
import { correctionEvent } from "../test-support/evaluation-events.ts";
import { beginning, ending, runEvents, state, training } from "../test-support/run-events.ts";
import { runShape } from "../test-support/run-shape.ts";
import { RecordPublisher } from "./record-publisher.ts";

const log = createLog("publisher-test", "fatal");
const shape = runShape({ stepsPerEpoch: 8, saveInterval: 8 });
/** The date as the publisher sees it, and its clock; a test makes the one jump, and holds the other. */
const date = { now: () => new Date() };
const clock = { nowMs: () => performance.now() };
const settleMs = 20;
const keys = ["html", "json", "md", "zh.html", "zh.md"].map((form) => `experiments/1-4-0/report/report.${form}`);

interface Setting {
  readonly blobs: BlobStore;
  readonly announced: ReportWritten[];
  /** Into the ledger, as the broker would bring them; the announcements of before are brought too. */
  readonly append: (events: readonly LedgerEvent[]) => void;
  /** A publisher over the same ledger, as after a start. */
  readonly start: (announce?: (written: ReportWritten) => Promise<void>, quietMs?: number) => RecordPublisher;
}

function setUp(t: TestContext): Setting {
  const ledger = openLedger(":memory:");
  const writer = new EventWriter(ledger);
  const reports = new CurrentReports(ledger, () => performance.now());
  const blobs = openBlobs(pathToFileURL(temporaryDirectory(t)).href);
  const announced: ReportWritten[] = [];
  const publishers: RecordPublisher[] = [];
  const append = (events: readonly LedgerEvent[]) => {
    const { changed } = writer.append(events);
    reports.changed(changed);
    for (const publisher of publishers) publisher.changed(changed);
  };
  const announce = async (written: ReportWritten) => {
    announced.push(written);
    append([{ kind: "report", message: written }]);
  };
  const start: Setting["start"] = (other = announce, quietMs = 60) => {
    const publisher = new RecordPublisher({
      ledger,
      reports,
      blobs,
      announce: other,
      log,
      now: () => date.now(),
      nowMs: () => clock.nowMs(),
      settleMs,
      quietMs,
    });
    publishers.push(publisher);
    t.after(() => publisher[Symbol.asyncDispose]());
    publisher.start();
    return publisher;
  };
  return { blobs, announced, append, start };
}

async function storedKeys(blobs: BlobStore): Promise<string[]> {
  return (await Array.fromAsync(blobs.list("experiments/"))).map(({ key }) => key);
}

/** Long enough for several looks. */
const aWhile = () => new Promise((resolve) => setTimeout(resolve, 250));

test("a complete run's record is written without waiting for what may be missing, announced once, and the digest is that of the stored report.json", async (t) => {
  const { blobs, announced, append, start } = setUp(t);
  start(undefined, 1e9); // nothing is missing, so nothing is waited for
  append(runEvents(shape));
  await until(() => announced.length === 1);
  await aWhile();
  assert.equal(announced.length, 1);
  assert.deepEqual(await storedKeys(blobs), keys);
  const json = await blobs.read("experiments/1-4-0/report/report.json");
  assert.equal(announced[0]?.reportSha256, sha256Hex(json));
  const { allTargetsMet, targets, targetsMet, targetsMissed } = announced[0] ?? {};
  assert.deepEqual([allTargetsMet, targets, targetsMet, targetsMissed], [false, 4, 3, 1]);
  assert.deepEqual(announced[0]?.blobs.toSorted(), keys);
});

test("the last lines and profiles that come one by one behind the end make one record, which has them all", async (t) => {
  t.after(() => void (clock.nowMs = () => performance.now()));
  const { blobs, append, start, announced } = setUp(t);
  let held = performance.now();
  clock.nowMs = () => held;
  start();
  const isLate = ({ kind }: LedgerEvent) => kind === "log" || kind === "profile";
  append(runEvents(shape).filter((event) => !isLate(event)));
  for (const late of runEvents(shape).filter(isLate)) {
    held += settleMs - 1;
    append([late]);
    await aWhile();
  }
  assert.equal(announced.length, 0, "each of them was a reason to wait");
  held += settleMs;
  await until(() => announced.length === 1);
  held += settleMs;
  await aWhile();
  assert.equal(announced.length, 1);
  const { chain } = JSON.parse(Buffer.from(await blobs.read("experiments/1-4-0/report/report.json")).toString("utf8"));
  assert.equal(Number(chain.events), runEvents(shape).length);
});

test("nothing is written while the run goes on or a checkpoint waits for its evaluation", async (t) => {
  const { blobs, append, start, announced } = setUp(t);
  start();
  append([...beginning(shape), ...training(shape)]);
  await aWhile();
  assert.deepEqual(await storedKeys(blobs), []);
  append(ending(shape));
  await until(() => announced.length === 1);
});

test("a correction of an evaluation makes a new record of an experiment that was over already", async (t) => {
  const { blobs, announced, append, start } = setUp(t);
  start();
  append(runEvents(shape));
  await until(() => announced.length === 1);
  const moment = { attempt: 1, microStep: 24, endMs: shape.startMs + 300_000 };
  append([correctionEvent(shape, moment, { nats: 2.26, cause: "the slice began a token late" })]);
  await until(() => announced.length === 2);
  const json = Buffer.from(await blobs.read("experiments/1-4-0/report/report.json")).toString("utf8");
  assert.equal(announced[1]?.reportSha256, sha256Hex(Buffer.from(json)));
  assert.match(json, /"supersededBy": "evaluations\/1-4-0-24-c4a11e0d"/);
});

test("a record from which something is missing waits until nothing comes any more, and what comes later makes a new one", async (t) => {
  const { append, start, announced } = setUp(t);
  start(undefined, 400);
  const late = runEvents(shape).filter((event) => event.kind === "step" && event.message.microStep === 5n);
  append(
    runEvents(shape).filter(
      (event) => !late.includes(event) && !(event.kind === "step" && event.message.microStep === 5n),
    ),
  );
  await aWhile();
  assert.equal(announced.length, 0);
  await until(() => announced.length === 1);
  append(late);
  await until(() => announced.length === 2);
  assert.notEqual(announced[0]?.reportSha256, announced[1]?.reportSha256);
});

test("a date that jumps makes nothing due and keeps nothing back", async (t) => {
  t.after(() => void (date.now = () => new Date()));
  const { append, start, announced } = setUp(t);
  const holed = runEvents(shape).filter((event) => !(event.kind === "step" && event.message.microStep === 5n));
  const patient = start(undefined, 3_000_000);
  append(holed);
  date.now = () => new Date(Date.now() + 3_600_000);
  append(holed.slice(0, 1));
  await aWhile();
  assert.equal(announced.length, 0, "50 minutes have not passed");
  await patient[Symbol.asyncDispose]();
  date.now = () => new Date("2038-01-20T00:00:00Z");
  start(undefined, 60);
  date.now = () => new Date(Date.now() - 3_600_000);
  await until(() => announced.length === 1);
});

test("who waits for a record waits until the ledger has its announcement, and not for a run that goes on", async (t) => {
  const { append, start, announced } = setUp(t);
  const publisher = start(async (written) => void announced.push(written)); // the broker has it, the ledger not yet
  append([...beginning(shape), ...training(shape)]);
  await publisher.settled("1-4-0", 60_000);
  assert.equal(announced.length, 0);
  append(ending(shape));
  let isSettled = false;
  const waiting = publisher.settled("1-4-0", 60_000).then(() => void (isSettled = true));
  await until(() => announced.length === 1);
  await aWhile();
  assert.equal(isSettled, false);
  append(announced.map((message) => ({ kind: "report", message })));
  await waiting;
  assert.equal(announced.length, 1);
});

test("a failed run has a record too", async (t) => {
  const { append, start, announced, blobs } = setUp(t);
  start();
  append([
    ...beginning(shape),
    state(shape, 4, shape.startMs + 20_000, Experiment_State.FAILED, "moby-dick.txt does not exist"),
  ]);
  await until(() => announced.length === 1);
  assert.match(
    new TextDecoder().decode(await blobs.read("experiments/1-4-0/report/report.md")),
    /moby-dick\.txt does not exist/,
  );
});

test("an announcement that the broker did not take is made again; a start after it changes nothing", async (t) => {
  const { append, start, announced } = setUp(t);
  append(runEvents(shape));
  const lost = start(async () => {
    throw new Unavailable("PUBLISH_UNKNOWN", "no answer");
  });
  await aWhile();
  await lost[Symbol.asyncDispose](); // the process ends between writing and announcing
  start();
  await until(() => announced.length === 1);
  start();
  await aWhile();
  assert.equal(announced.length, 1);
});

test("a blob store that was lost is filled again at the next start", async (t) => {
  const { append, start, announced, blobs } = setUp(t);
  append(runEvents(shape));
  const first = start();
  await until(() => announced.length === 1);
  await first[Symbol.asyncDispose]();
  for (const key of keys) await blobs.delete(key);
  start();
  await until(async () => (await storedKeys(blobs)).length === 5);
});
