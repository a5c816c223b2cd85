/** What the broker forgets of the experiments, and what the copies bring back. With a real broker: lost-streams.test.ts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { create } from "@bufbuild/protobuf";
import { openBlobs } from "@pretrain/blobs";
import { Unavailable } from "@pretrain/errors";
import { createLog } from "@pretrain/observability";
import { Experiment_Priority as Priority, RecipeSchema, Experiment_State as State } from "@pretrain/proto";
import { completeRecipe } from "@pretrain/recipe";
import { type TestScope, temporaryDirectory } from "@pretrain/testing";
import { experimentOf, queued } from "../experiment/record.ts";
import { pauseExperiment, resumeExperiment } from "../handlers/change-experiment.ts";
import { experimentsInMemory } from "../test-support/experiments-in-memory.ts";
import { RecordCopies } from "./record-copies.ts";
import { restoreRecords } from "./restore-records.ts";

const log = createLog("test", "fatal" as "error");
const recipe = completeRecipe(create(RecipeSchema, { data: { path: "book.txt" } }));
const time = new Date(Date.UTC(2025, 6, 30));
const fresh = (id: string) =>
  queued({ id, title: id, recipe, requestId: "r", requestSha256: "s", priority: Priority.HIGH }, time);

function trainer(t: TestScope) {
  const blobs = openBlobs(pathToFileURL(temporaryDirectory(t)).href);
  const copies = new RecordCopies(blobs, log);
  /** A broker that knows nothing, beside the same store. */
  const emptyBroker = () => {
    const { experiments, index, announced, enqueued } = experimentsInMemory(copies);
    return {
      experiments,
      index,
      announced,
      enqueued,
      restore: () => restoreRecords({ experiments, index, copies, log }),
    };
  };
  return { blobs, copies, emptyBroker };
}

test("a broker that has forgotten everything is given back every experiment, as far as it had come", async (t) => {
  const { emptyBroker } = trainer(t);
  const before = emptyBroker();
  await before.experiments.settle(await before.experiments.create("waits", fresh("waits")));
  await before.experiments.settle(await before.experiments.create("ran", fresh("ran")));
  const change = { now: time, message: "prepares", fields: { attempt: 3 } };
  for (const command of ["prepare", "run", "interrupt"] as const)
    await before.experiments.advance("ran", command, { ...change, message: command });

  const after = emptyBroker();
  await after.restore();
  const record = (await after.experiments.get("ran")).value;
  assert.deepEqual([experimentOf(record).state, experimentOf(record).attempt], [State.INTERRUPTED, 3]);
  assert.deepEqual([record.requestId, record.transitions.length], ["r", 4]);
  assert.deepEqual(experimentOf(record).recipe, recipe);
  const found = await after.experiments.settle(await after.experiments.get("waits"));
  await after.experiments.settle(await after.experiments.get("ran"));
  const told = ["1 QUEUED", "1 QUEUED", "2 PREPARING", "3 RUNNING", "4 INTERRUPTED"];
  assert.deepEqual([after.announced, after.enqueued], [told, ["waits/1", "ran/4"]]); // all of it again
  await after.restore();
  assert.equal((await after.experiments.get("waits")).revision, found.revision); // what is known is left alone
});

test("a broker with an older disk is given the changes that it lacks; one that is ahead of the copies keeps its own", async (t) => {
  const { emptyBroker, blobs, copies } = trainer(t);
  const before = emptyBroker();
  await before.experiments.settle(await before.experiments.create("a", fresh("a")));
  await before.experiments.advance("a", "prepare", { now: time, message: "" });
  const older = emptyBroker();
  await older.experiments.restore("a", fresh("a"));
  await older.restore();
  assert.equal(experimentOf((await older.experiments.get("a")).value).state, State.PREPARING);
  await older.experiments.settle(await older.experiments.get("a"));
  await older.experiments.advance("a", "run", { now: time, message: "" });
  await blobs.delete("records/experiments/a/3.json");
  assert.deepEqual(await copies.numbers(), new Map([["a", [2, 1]]]));
  await older.restore();
  assert.equal(experimentOf((await older.experiments.get("a")).value).state, State.RUNNING);
});

test("a copy that cannot be read is passed over for the one before it", async (t) => {
  const { emptyBroker, blobs } = trainer(t);
  const before = emptyBroker();
  await before.experiments.settle(await before.experiments.create("a", fresh("a")));
  await before.experiments.advance("a", "prepare", { now: time, message: "" });
  await blobs.put("records/experiments/a/2.json", new TextEncoder().encode('{"experiment":{"name":"experiments/b"}}'));
  const after = emptyBroker();
  await after.restore();
  assert.equal(experimentOf((await after.experiments.get("a")).value).state, State.QUEUED);
});

test("a pause that was answered and has not become a state yet is brought back, and so is the mark of its request", async (t) => {
  const { emptyBroker, blobs } = trainer(t);
  const dependencies = { blobs, now: () => time, wake: () => undefined };
  const before = emptyBroker();
  await before.experiments.settle(await before.experiments.create("a", fresh("a")));
  await before.experiments.advance("a", "prepare", { now: time, message: "" });
  const asked = { name: "experiments/a", etag: "", requestId: "p" };
  await pauseExperiment({ ...dependencies, experiments: before.experiments })(asked);
  const after = emptyBroker();
  await after.restore();
  assert.equal(experimentOf((await after.experiments.get("a")).value).pauseRequested, true);
  await resumeExperiment({ ...dependencies, experiments: after.experiments })({ ...asked, requestId: "" });
  const repeated = await pauseExperiment({ ...dependencies, experiments: after.experiments })(asked);
  assert.equal(repeated.pauseRequested, false); // it was withdrawn since
});

test("an id that the broker has forgotten is not given to another experiment", async (t) => {
  const { emptyBroker } = trainer(t);
  const before = emptyBroker();
  await before.experiments.settle(await before.experiments.create("a", fresh("a")));
  const after = emptyBroker();
  await assert.rejects(after.experiments.create("a", fresh("a")), Unavailable);
  assert.equal(await after.experiments.find("a"), undefined);
});

test("where the store takes no copy the experiment goes on, and the copy is still to be made", async (t) => {
  const { emptyBroker, blobs } = trainer(t);
  const works = blobs.create.bind(blobs);
  blobs.create = async () => {
    throw new Unavailable("STORE_FAILED", "no room");
  };
  const { experiments, index, announced } = emptyBroker();
  await experiments.settle(await experiments.create("a", fresh("a")));
  assert.deepEqual(announced, ["1 QUEUED"]);
  assert.equal((await index.current()).get("a")?.isUnsettled, true);
  blobs.create = works;
  await experiments.settle(await experiments.get("a"));
  assert.equal((await index.current()).get("a")?.isUnsettled, false);
});
