import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { FailedPrecondition } from "@pretrain/errors";
import {
  type ExperimentRecord,
  Experiment_Priority as Priority,
  Experiment_Reason as Reason,
  RecipeSchema,
  StartExperimentRequestSchema,
  Experiment_State as State,
} from "@pretrain/proto";
import { completeRecipe } from "@pretrain/recipe";
import { fruitlessBefore } from "./attempt-claim.ts";
import { ProgressMeter } from "./progress-meter.ts";
import { changed, isLastChange, marked, queued, resourceOf, unannounced, withFields } from "./record.ts";
import { startRequestSha256 } from "./start-request.ts";

const given = create(RecipeSchema, { data: { path: "book.txt" } });
const recipe = completeRecipe(given);
const at = (second: number) => new Date(Date.UTC(2025, 6, 30, 15, 30, second));
const fresh = () =>
  queued({ id: "1-4-0", title: "1.4.0", recipe, requestId: "r", requestSha256: "s", priority: Priority.NORMAL }, at(0));
const stateOf = ({ experiment }: ExperimentRecord) => experiment?.state;

function lived(): ExperimentRecord {
  const prepared = changed(fresh(), "prepare", { now: at(1), message: "prepares", fields: { attempt: 1 } });
  const running = changed(prepared, "run", { now: at(2), message: "trains", fields: { parameters: 7n } });
  return changed(running, "complete", { now: at(3), message: "done" });
}

test("a life is told by its transitions, numbered from 1, the first one sealing the recipe", () => {
  const events = unannounced(lived());
  assert.deepEqual(
    events.map(({ sequence, from, to, attempt, message, time }) => [
      sequence,
      from,
      to,
      attempt,
      message,
      time && timestampDate(time).getUTCSeconds(),
    ]),
    [
      [1, State.UNSPECIFIED, State.QUEUED, 0, "waits for a worker", 0],
      [2, State.QUEUED, State.PREPARING, 1, "prepares", 1],
      [3, State.PREPARING, State.RUNNING, 1, "trains", 2],
      [4, State.RUNNING, State.COMPLETED, 1, "done", 3],
    ],
  );
  assert.equal(events[0]?.title, "1.4.0");
  assert.equal(events[0]?.recipe?.training?.seed, 42);
  assert.deepEqual(
    events.map((event) => [event.recipe === undefined, event.recipeSha256]),
    [[false, events[0]?.recipeSha256], ...[1, 2, 3].map(() => [true, events[0]?.recipeSha256])],
  );
});

test("what was announced is not told again, and the numbers go on", () => {
  const events = unannounced(marked(lived(), { announced: 3 }));
  assert.deepEqual(
    events.map(({ sequence, recipe: sealed }) => [sequence, sealed]),
    [[4, undefined]],
  );
  assert.deepEqual(unannounced(marked(lived(), { announced: 4 })), []);
});

test("a change is recognised as the last one that was made, and only the last", () => {
  const change = { now: at(1), message: "prepares" };
  const record = changed(fresh(), "prepare", change);
  assert.equal(isLastChange(record, "prepare", change), true);
  assert.equal(isLastChange(record, "prepare", { ...change, now: at(2) }), false);
  assert.equal(isLastChange(record, "prepare", { ...change, message: "runs" }), false);
  assert.equal(isLastChange(changed(record, "run", { now: at(2), message: "trains" }), "prepare", change), false);
  assert.equal(isLastChange(changed(record, "run", change), "prepare", change), false); // the same words at the same moment
});

test("each moment is kept once: a second attempt moves neither start nor begin of training", () => {
  let record = changed(fresh(), "prepare", { now: at(1), message: "" });
  record = changed(record, "run", { now: at(2), message: "" });
  record = changed(record, "interrupt", { now: at(3), message: "", reason: Reason.WORKER_LOST });
  assert.equal(record.experiment?.reason, Reason.WORKER_LOST);
  record = changed(record, "prepare", { now: at(4), message: "" });
  assert.equal(record.experiment?.reason, Reason.UNSPECIFIED);
  record = changed(record, "run", { now: at(5), message: "" });
  const { startTime, trainingStartTime, endTime } = record.experiment ?? {};
  assert.deepEqual(
    [startTime, trainingStartTime].map((time) => time && timestampDate(time)),
    [at(1), at(2)],
  );
  assert.equal(endTime, undefined);
});

test("a change leaves the record that it came from as it was, and a refused one throws", () => {
  const record = fresh();
  changed(record, "cancel", { now: at(1), message: "" });
  withFields(record, { cancelRequested: true });
  assert.equal(stateOf(record), State.QUEUED);
  assert.equal(record.transitions.length, 1);
  assert.equal(record.experiment?.cancelRequested, false);
  assert.throws(() => changed(record, "complete", { now: at(1), message: "" }), FailedPrecondition);
});

test("a wish to cancel is over when the experiment is, and the etag is the revision", () => {
  const wished = withFields(changed(fresh(), "prepare", { now: at(1), message: "" }), { cancelRequested: true });
  assert.equal(resourceOf(wished, 17).cancelRequested, true);
  assert.equal(resourceOf(wished, 17).etag, "17");
  const ended = resourceOf(changed(wished, "cancel", { now: at(2), message: "", reason: Reason.USER }), 18);
  assert.deepEqual([ended.state, ended.cancelRequested], [State.CANCELLED, false]);
});

test("two requests are the same when id and recipe are, whatever the request id", () => {
  const digestOf = (experimentId: string, seed: number, requestId = "r") =>
    startRequestSha256(
      create(StartExperimentRequestSchema, { experimentId, requestId, recipe: { training: { seed } } }),
    );
  assert.equal(digestOf("1.4.0", 1), digestOf("1.4.0", 1, "other"));
  assert.notEqual(digestOf("1.4.0", 1), digestOf("1.4.0", 2));
  assert.notEqual(digestOf("1.4.0", 1), digestOf("1_4_0", 1)); // another title
});

test("attempts that die where the one before died are counted; progress and a wished stop are no failures", () => {
  const claim = { experiment: "a", attempt: 3, nonce: "n", time: "", resumesFrom: 20, fruitless: 2 };
  assert.equal(fruitlessBefore(undefined, Reason.UNSPECIFIED, 0), 0);
  assert.equal(fruitlessBefore(claim, Reason.WORKER_LOST, 20), 3);
  assert.equal(fruitlessBefore(claim, Reason.WORKER_LOST, 40), 0);
  assert.equal(fruitlessBefore(claim, Reason.SHUTDOWN, 20), 2);
  assert.equal(fruitlessBefore(claim, Reason.EXIT_CODE, 0), 3); // its checkpoint turned out to be damaged
});

test("pace is over the last fifty steps, tokens over time, never a mean of rates", () => {
  const meter = new ProgressMeter();
  assert.equal(meter.pace(10), undefined);
  for (let i = 0; i < 100; i += 1) meter.add({ durationMs: 1_000_000, tokens: 1 }); // forgotten
  for (let i = 0; i < 25; i += 1) {
    meter.add({ durationMs: 100, tokens: 300 });
    meter.add({ durationMs: 300, tokens: 100 });
  }
  assert.deepEqual(meter.pace(10), { tokensPerSecond: 1000, remainingSeconds: 2 }); // 10,000 tokens in 10 s
});
