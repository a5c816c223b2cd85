import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import {
  ExperimentRecordSchema,
  ProgressSchema,
  Experiment_Reason as Reason,
  Experiment_State as State,
} from "@pretrain/proto";
import { type AttemptEnd, endAsWished, isEnded } from "./attempt-end.ts";
import { changed } from "./record.ts";

/** How an attempt ends by itself, and how it does when its user meanwhile wants nothing, a pause, the end, or both. */
const table = `
               nothing      pause      cancel     both
  complete     complete     complete   complete   complete
  fail         fail         fail       fail       fail
  crash        interrupt    pause      cancel     cancel
  shutdown     interrupt    pause      cancel     cancel
  no-room      pause        pause      cancel     cancel
  user-pause   interrupt    pause      cancel     cancel
  user-cancel  cancel       cancel     cancel     cancel`;

const ends: Readonly<Record<string, readonly [AttemptEnd["command"], Reason]>> = {
  complete: ["complete", Reason.UNSPECIFIED],
  fail: ["fail", Reason.NOT_FINITE],
  crash: ["interrupt", Reason.EXIT_CODE],
  shutdown: ["interrupt", Reason.SHUTDOWN],
  "no-room": ["pause", Reason.OUT_OF_RESOURCES],
  "user-pause": ["pause", Reason.USER],
  "user-cancel": ["cancel", Reason.USER],
};

function recordWith(wish: string) {
  const pauseRequested = wish === "pause" || wish === "both";
  const cancelRequested = wish === "cancel" || wish === "both";
  const experiment = { state: State.RUNNING, attempt: 3, pauseRequested, cancelRequested };
  return create(ExperimentRecordSchema, { experiment });
}

test("each end of an attempt becomes what the table says by what its user wants by then", () => {
  const [wishes = [], ...rows] = table
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/ +/));
  for (const [name = "", ...expected] of rows) {
    const [command, reason] = ends[name] ?? assert.fail(name);
    const end = { command, change: { now: new Date(0), message: "its own words", reason } };
    assert.deepEqual(
      wishes.map((wish) => endAsWished(recordWith(wish), end).command),
      expected,
      name,
    );
  }
});

test("an end before the last step is explained by the record: what had stopped improving, and what is best", () => {
  const earlyStop = {
    microStep: 80n,
    results: 2,
    bestCheckpoint: "experiments/a/checkpoints/40",
    bestLossNatsPerToken: 3,
  };
  const record = create(ExperimentRecordSchema, { experiment: { state: State.RUNNING, attempt: 3, earlyStop } });
  const endBehind = (microStep: bigint) => {
    const progress = create(ProgressSchema, { microStep, totalMicroSteps: 120n });
    const change = { now: new Date(0), message: `${microStep} micro-steps`, fields: { progress } };
    return endAsWished(record, { command: "complete", change }).change;
  };
  const early = endBehind(84n);
  assert.deepEqual(
    [early.reason, early.message],
    [
      Reason.STOPPED_EARLY,
      "84 micro-steps; stopped early: 2 results in a row up to micro-step 80 did not improve; " +
        "best is experiments/a/checkpoints/40 with 3.0000 nats per token",
    ],
  );
  const late = endBehind(120n); // the decision came when there was nothing left to stop
  assert.deepEqual([late.reason, late.message], [undefined, "120 micro-steps"]);
});

test("a lack of room stays the reason of a pause unless its user wants one too: only the first is resumed by the service", () => {
  const full: AttemptEnd = {
    command: "pause",
    change: { now: new Date(0), message: "the disk is full", reason: Reason.OUT_OF_RESOURCES },
  };
  assert.deepEqual(endAsWished(recordWith("nothing"), full), full);
  assert.equal(endAsWished(recordWith("pause"), full).change.reason, Reason.USER);
});

test("an end that is in the record already is recognised, whichever it became, and another attempt's is not", () => {
  const now = new Date(7);
  const change = { now, message: "paused by its user", reason: Reason.USER };
  const paused = changed(recordWith("pause"), "pause", change);
  assert.ok(isEnded(paused, 3, { now, message: "its worker was asked to stop" }));
  assert.ok(!isEnded(paused, 4, change));
  assert.ok(!isEnded(paused, 3, { ...change, now: new Date(8) }));
});
