import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { openBlobs } from "@pretrain/blobs";
import { FailedPrecondition, NotFound, Unavailable } from "@pretrain/errors";
import { createLog } from "@pretrain/observability";
import {
  Experiment_Priority as Priority,
  Experiment_Reason as Reason,
  RecipeSchema,
  Experiment_State as State,
} from "@pretrain/proto";
import { completeRecipe } from "@pretrain/recipe";
import { changed, experimentOf, queued, withFields } from "../experiment/record.ts";
import { type ExperimentsInMemory, experimentsInMemory } from "../test-support/experiments-in-memory.ts";
import { sweep } from "./sweep.ts";

const recipe = completeRecipe(create(RecipeSchema, { data: { path: "book.txt" } }));
const now = () => new Date(Date.UTC(2025, 6, 30));
const log = createLog("test", "fatal" as "error");
const fresh = (id: string) =>
  queued({ id, title: id, recipe, requestId: "", requestSha256: "", priority: Priority.NORMAL }, now());

/** No store of blobs is needed where there is no fork. */
const blobs = openBlobs("file:///nowhere");
const sweepOf = ({ experiments, index }: ExperimentsInMemory, isWork: boolean) =>
  sweep({ experiments, index, blobs, hasWork: async () => isWork, isLeased: async () => false, now, log });

async function stored({ experiments }: ExperimentsInMemory, id = "a") {
  const { value } = await experiments.get(id);
  const { announced, enqueued, transitions } = value;
  return { state: experimentOf(value).state, announced, enqueued, transitions: transitions.length };
}

test("settling announces each transition once, in order, and enqueues the work once", async () => {
  const system = experimentsInMemory();
  const { experiments } = system;
  let found = await experiments.settle(await experiments.create("a", fresh("a")));
  found = await experiments.settle(found);
  await experiments.advance("a", "prepare", { now: now(), message: "prepares" });
  assert.deepEqual(system.announced, ["1 QUEUED", "2 PREPARING"]);
  assert.deepEqual(system.enqueued, ["a/1"]);
  assert.deepEqual(await stored(system), { state: State.PREPARING, announced: 2, enqueued: true, transitions: 2 });
});

test("wherever the broker falls silent, the next to come does the rest, and nobody does it twice", async () => {
  for (let calls = 1; calls <= 4; calls += 1) {
    const system = experimentsInMemory();
    system.callsLeft = calls; // create, publish, enqueue, mark
    const started = system.experiments.create("a", fresh("a")).then((found) => system.experiments.settle(found));
    if (calls < 4) await assert.rejects(started, Unavailable);
    else await started;
    system.callsLeft = Number.POSITIVE_INFINITY;
    await sweepOf(system, true);
    assert.deepEqual(await stored(system), { state: State.QUEUED, announced: 1, enqueued: true, transitions: 1 });
    assert.deepEqual(new Set(system.announced), new Set(["1 QUEUED"])); // a repetition has the same identity
    assert.deepEqual(new Set(system.enqueued), new Set(["a/1"]));
    const calmed = system.announced.length;
    await sweepOf(system, true);
    assert.equal(system.announced.length, calmed);
  }
});

test("a change whose answer was lost is not made twice", async () => {
  const system = experimentsInMemory();
  await system.experiments.settle(await system.experiments.create("a", fresh("a")));
  const change = { now: now(), message: "prepares", fields: { attempt: 1 } };
  system.callsLeft = 1; // the write, not the event
  await assert.rejects(system.experiments.advance("a", "prepare", change), Unavailable);
  system.callsLeft = Number.POSITIVE_INFINITY;
  await system.experiments.advance("a", "prepare", change, () => assert.fail("the record is as the change left it"));
  assert.deepEqual(await stored(system), { state: State.PREPARING, announced: 2, enqueued: true, transitions: 2 });
});

test("who resumes an experiment while its first piece is being marked as enqueued has a piece of his own to enqueue", async () => {
  const system = experimentsInMemory();
  const { experiments } = system;
  const found = await experiments.create("a", fresh("a"));
  system.afterEnqueue = async () => {
    await experiments.change("a", ({ value }) => changed(value, "pause", { now: now(), message: "" }));
    await experiments.change("a", ({ value }) => changed(value, "resume", { now: now(), message: "" })); // and dies here
  };
  await experiments.settle(found);
  assert.equal((await stored(system)).enqueued, false);
  await sweepOf(system, true);
  assert.deepEqual(system.enqueued, ["a/1", "a/3"]);
});

test("a change is made on what somebody else has written meanwhile, not over it", async () => {
  const system = experimentsInMemory();
  const { experiments } = system;
  await experiments.settle(await experiments.create("a", fresh("a")));
  system.beforeWrite = () => experiments.change("a", ({ value }) => withFields(value, { cancelRequested: true }));
  const { value } = await experiments.advance("a", "prepare", { now: now(), message: "prepares" });
  assert.deepEqual([experimentOf(value).cancelRequested, experimentOf(value).state], [true, State.PREPARING]);
  system.beforeWrite = () => experiments.advance("a", "cancel", { now: now(), message: "" });
  await assert.rejects(experiments.advance("a", "run", { now: now(), message: "trains" }), FailedPrecondition);
  await assert.rejects(
    experiments.change("b", ({ value }) => value),
    NotFound,
  );
});

test("when the queue is empty, experiments that wait or seem to run get their work anew; final ones do not", async () => {
  const system = experimentsInMemory();
  const { experiments } = system;
  for (const id of ["waiting", "running", "done"]) await experiments.settle(await experiments.create(id, fresh(id)));
  for (const id of ["running", "done"]) await experiments.advance(id, "prepare", { now: now(), message: "" });
  await experiments.advance("done", "fail", { now: now(), message: "" });
  const before = system.enqueued.length;
  await sweepOf(system, true);
  assert.equal(system.enqueued.length, before);
  await sweepOf(system, false);
  assert.deepEqual(system.enqueued.slice(before), ["waiting/1", "running/3"]);
  const { state, reason } = experimentOf((await experiments.get("running")).value);
  assert.deepEqual([state, reason], [State.INTERRUPTED, Reason.WORKER_LOST]);
});

test("an experiment that ends while the sweep looks is left alone", async () => {
  const system = experimentsInMemory();
  const { experiments } = system;
  await experiments.settle(await experiments.create("a", fresh("a")));
  await experiments.advance("a", "prepare", { now: now(), message: "" });
  system.beforeWrite = () => experiments.advance("a", "fail", { now: now(), message: "" });
  await sweepOf(system, false);
  assert.deepEqual(await stored(system), { state: State.FAILED, announced: 3, enqueued: true, transitions: 3 });
});
