/** Handlers with plain values: what they check, decide, write and answer. Through the wire they go in training.test.ts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { create } from "@bufbuild/protobuf";
import { openBlobs } from "@pretrain/blobs";
import { Aborted, AlreadyExists, FailedPrecondition, InvalidArgument, NotFound } from "@pretrain/errors";
import { createLog } from "@pretrain/observability";
import {
  GetExperimentRequestSchema,
  ListExperimentsRequestSchema,
  Experiment_Reason as Reason,
  StartExperimentRequestSchema,
  Experiment_State as State,
  WatchExperimentRequestSchema,
} from "@pretrain/proto";
import { type TestScope, temporaryDirectory } from "@pretrain/testing";
import { stateName } from "../experiment/lifecycle.ts";
import { experimentsInMemory } from "../test-support/experiments-in-memory.ts";
import { cancelExperiment, pauseExperiment, resumeExperiment } from "./change-experiment.ts";
import { getExperiment } from "./get-experiment.ts";
import { listExperiments } from "./list-experiments.ts";
import { startExperiment } from "./start-experiment.ts";
import { watchExperiment } from "./watch-experiment.ts";

function service(t: TestScope) {
  const system = experimentsInMemory();
  const blobs = openBlobs(pathToFileURL(temporaryDirectory(t)).href);
  let second = 0;
  let woken = 0;
  const now = () => new Date(Date.UTC(2025, 6, 30, 15, 30, (second += 1)));
  const log = createLog("test", "fatal" as "error");
  const { experiments, index } = system;
  const dependencies = { experiments, index, blobs, now, log, wake: () => void (woken += 1) };
  const start = startExperiment(dependencies);
  return {
    ...system,
    system,
    woken: () => woken,
    start: (experimentId: string, more: { seed?: number; requestId?: string } = {}) => {
      const { requestId = "", seed = 1 } = more;
      const recipe = { data: { path: "book.txt" }, training: { seed } };
      return start(create(StartExperimentRequestSchema, { experimentId, requestId, recipe }));
    },
    get: (name: string) => getExperiment(dependencies)(create(GetExperimentRequestSchema, { name })),
    cancel: (name: string, etag = "", requestId = "") => cancelExperiment(dependencies)({ name, etag, requestId }),
    pause: (name: string, etag = "", requestId = "") => pauseExperiment(dependencies)({ name, etag, requestId }),
    resume: (name: string, etag = "", requestId = "") => resumeExperiment(dependencies)({ name, etag, requestId }),
    list: (pageSize = 0, pageToken = "") =>
      listExperiments(dependencies)(create(ListExperimentsRequestSchema, { pageSize, pageToken })),
    watch: (name: string) =>
      watchExperiment(dependencies)(create(WatchExperimentRequestSchema, { name }), {
        signal: new AbortController().signal,
      }),
  };
}

test("starting stores the complete recipe, announces it, enqueues it and rings the worker's bell", async (t) => {
  const trainer = service(t);
  const experiment = await trainer.start("experiment_1_4_0");
  assert.deepEqual([experiment.name, experiment.title], ["experiments/1-4-0", "experiment_1_4_0"]);
  assert.equal(experiment.recipe?.training?.beta2, 0.95);
  assert.match(experiment.recipeSha256, /^[0-9a-f]{64}$/);
  assert.deepEqual(
    [trainer.system.announced, trainer.system.enqueued, trainer.woken()],
    [["1 QUEUED"], ["1-4-0/1"], 1],
  );
  assert.deepEqual(await trainer.get("experiments/1.4.0"), experiment);
});

test("a repeated request gets what has become of its experiment, also when the first answer was lost at any point", async (t) => {
  for (let calls = 0; calls <= 4; calls += 1) {
    const trainer = service(t);
    trainer.system.callsLeft = calls; // create, publish, enqueue, mark
    await trainer.start("a", { requestId: "r" }).catch(() => undefined);
    trainer.system.callsLeft = Number.POSITIVE_INFINITY;
    const second = await trainer.start("a", { requestId: "r" });
    assert.equal(second.state, State.QUEUED);
    assert.deepEqual(new Set(trainer.system.enqueued), new Set(["a/1"]));
    assert.equal((await trainer.list()).experiments.length, 1);
  }
});

test("an id that is taken, and a request id used otherwise, are ALREADY_EXISTS", async (t) => {
  const trainer = service(t);
  await trainer.start("a", { requestId: "r" });
  for (const again of [
    () => trainer.start("a"),
    () => trainer.start("a", { requestId: "other" }),
    () => trainer.start("a", { requestId: "r", seed: 2 }),
    () => trainer.start("b", { requestId: "r" }),
  ]) {
    await assert.rejects(again, AlreadyExists);
  }
  assert.equal((await trainer.list()).experiments.length, 1);
});

test("nothing is stored of a refused request", async (t) => {
  const trainer = service(t);
  await assert.rejects(trainer.start("a/b", { requestId: "r" }), InvalidArgument);
  assert.deepEqual((await trainer.list()).experiments, []);
  assert.equal((await trainer.start("a", { requestId: "r" })).name, "experiments/a"); // its request id is still free
});

test("experiments are listed newest first, in pages", async (t) => {
  const trainer = service(t);
  for (const id of ["first", "second", "third"]) await trainer.start(id);
  const page = await trainer.list(2);
  assert.deepEqual(
    page.experiments.map(({ title }) => title),
    ["third", "second"],
  );
  await trainer.start("fourth");
  const rest = await trainer.list(2, page.nextPageToken);
  assert.deepEqual([rest.experiments.map(({ title }) => title), rest.nextPageToken], [["first"], ""]);
  await assert.rejects(trainer.list(2, "nonsense"), InvalidArgument);
});

test("cancelling ends what nobody holds, asks for the end of what somebody holds, and refuses what has ended", async (t) => {
  const trainer = service(t);
  const { experiments, announced } = trainer.system;
  const waiting = await trainer.start("waiting");
  await trainer.start("held");
  const change = { now: new Date(0), message: "prepares" };
  const { revision } = await experiments.advance("held", "prepare", change);
  await assert.rejects(trainer.cancel("experiments/held", waiting.etag), Aborted);
  const asked = await trainer.cancel("experiments/held", String(revision));
  assert.deepEqual([asked.state, asked.cancelRequested], [State.PREPARING, true]);
  assert.equal((await trainer.cancel("experiments/held")).etag, asked.etag); // asking again changes nothing
  const ended = await trainer.cancel("experiments/waiting");
  assert.deepEqual([ended.state, ended.reason], [State.CANCELLED, Reason.USER]);
  assert.ok(announced.includes("2 CANCELLED"));
  await assert.rejects(trainer.cancel("experiments/waiting"), FailedPrecondition);
  await assert.rejects(trainer.cancel("experiments/nothing"), NotFound);
});

test("pausing asks whom a worker holds, pauses what waits, and can be withdrawn, repeated and followed by a cancellation", async (t) => {
  const trainer = service(t);
  const { experiments, announced, enqueued } = trainer.system;
  await trainer.start("held");
  await experiments.advance("held", "prepare", { now: new Date(0), message: "prepares" });
  const asked = await trainer.pause("experiments/held");
  assert.deepEqual([asked.state, asked.pauseRequested], [State.PREPARING, true]);
  assert.equal((await trainer.pause("experiments/held")).etag, asked.etag); // asking again changes nothing
  const withdrawn = await trainer.resume("experiments/held", asked.etag);
  assert.deepEqual([withdrawn.state, withdrawn.pauseRequested], [State.PREPARING, false]);
  await assert.rejects(trainer.pause("experiments/held", asked.etag), Aborted);

  await trainer.start("waiting");
  const paused = await trainer.pause("experiments/waiting");
  assert.deepEqual([paused.state, paused.reason], [State.PAUSED, Reason.USER]);
  assert.equal((await trainer.pause("experiments/waiting")).etag, paused.etag);
  const resumed = await trainer.resume("experiments/waiting");
  assert.equal(resumed.state, State.QUEUED);
  assert.equal((await trainer.resume("experiments/waiting")).etag, resumed.etag);
  assert.deepEqual(announced.slice(-3), ["1 QUEUED", "2 PAUSED", "3 QUEUED"]);
  assert.deepEqual(enqueued, ["held/1", "waiting/1", "waiting/3"]); // the first piece may have been struck off
  await trainer.pause("experiments/waiting");
  assert.equal((await trainer.cancel("experiments/waiting")).state, State.CANCELLED);
  await assert.rejects(trainer.resume("experiments/waiting"), FailedPrecondition);
  await trainer.cancel("experiments/held");
  await assert.rejects(trainer.pause("experiments/held"), /experiments\/held is being cancelled/);
});

test("what is paused for want of room is its user's to resume, or to keep paused", async (t) => {
  const trainer = service(t);
  const { experiments } = trainer.system;
  await trainer.start("a");
  const full = { now: new Date(0), reason: Reason.OUT_OF_RESOURCES, message: "the disk is full" };
  await experiments.advance("a", "pause", full);
  const kept = await trainer.pause("experiments/a");
  assert.deepEqual([kept.state, kept.reason, kept.message], [State.PAUSED, Reason.USER, "paused by its user"]);
  assert.equal((await trainer.resume("experiments/a")).state, State.QUEUED);
});

test("a watch shows the experiment now, each change, and ends with it", async (t) => {
  const trainer = service(t);
  await trainer.start("a");
  const seen: string[] = [];
  for await (const { experiment } of trainer.watch("experiments/a")) {
    seen.push(stateName(experiment?.state ?? State.UNSPECIFIED));
    if (seen.length === 1) await trainer.system.experiments.advance("a", "prepare", { now: new Date(1), message: "" });
    else
      await trainer.system.experiments.advance("a", "fail", { now: new Date(2), message: "" }).catch(() => undefined);
  }
  assert.deepEqual([...new Set(seen)], ["QUEUED", "PREPARING", "FAILED"]);
  await assert.rejects(async () => await trainer.watch("experiments/nothing").next(), NotFound);
});

test("a repeated command is done once, whatever has been asked for since; its id is good for no other request", async (t) => {
  const trainer = service(t);
  await trainer.start("a");
  assert.equal((await trainer.pause("experiments/a", "", "p")).state, State.PAUSED);
  assert.equal((await trainer.resume("experiments/a", "", "r")).state, State.QUEUED);
  assert.equal((await trainer.pause("experiments/a", "", "p")).state, State.QUEUED); // it was paused, and is not again
  assert.equal((await trainer.pause("experiments/a", "", "p2")).state, State.PAUSED);
  assert.equal(
    (await trainer.resume("experiments/1.0", "", "r").catch((error: unknown) => error)) instanceof AlreadyExists,
    true,
  );
  await assert.rejects(trainer.pause("experiments/a", "7", "p2"), AlreadyExists);
  assert.equal((await trainer.cancel("experiments/a", "", "p")).state, State.CANCELLED); // each method has its own ids
  assert.equal((await trainer.cancel("experiments/a", "", "p")).state, State.CANCELLED); // though it has ended
  await assert.rejects(trainer.cancel("experiments/a", "", "another"), FailedPrecondition);
});

test("a command that changed nothing is remembered too: repeated later it still changes nothing", async (t) => {
  const trainer = service(t);
  await trainer.start("a");
  assert.equal((await trainer.resume("experiments/a", "", "r")).state, State.QUEUED); // it was not paused
  await trainer.pause("experiments/a");
  assert.equal((await trainer.resume("experiments/a", "", "r")).state, State.PAUSED);
});

test("a command whose answer was lost is done by its repetition, or has been done", async (t) => {
  for (let calls = 0; calls <= 3; calls += 1) {
    const trainer = service(t);
    const { etag } = await trainer.start("a");
    trainer.system.callsLeft = calls; // the record, the event, the mark
    await trainer.pause("experiments/a", etag, "p").catch(() => undefined);
    trainer.system.callsLeft = Number.POSITIVE_INFINITY;
    assert.equal((await trainer.pause("experiments/a", etag, "p")).state, State.PAUSED); // the etag of before
    assert.deepEqual(new Set(trainer.system.announced), new Set(["1 QUEUED", "2 PAUSED"]));
  }
});
