import assert from "node:assert/strict";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { create } from "@bufbuild/protobuf";
import { type BlobStore, openBlobs } from "@pretrain/blobs";
import {
  acquireCheckpoint,
  checkpointHolders,
  claimAttempt,
  isFenced,
  sealCheckpoint,
  writeCheckpointParts,
} from "@pretrain/checkpoint";
import { Aborted } from "@pretrain/errors";
import { createLog } from "@pretrain/observability";
import {
  Experiment_Priority as Priority,
  Experiment_Reason as Reason,
  RecipeSchema,
  Experiment_State as State,
} from "@pretrain/proto";
import { completeRecipe, recipeSha256 } from "@pretrain/recipe";
import { type TestScope, temporaryDirectory } from "@pretrain/testing";
import { isFault } from "../experiment/attempt-claim.ts";
import { experimentOf, marked, queued, withFields } from "../experiment/record.ts";
import { experimentsInMemory } from "../test-support/experiments-in-memory.ts";
import { leasesInMemory } from "../test-support/leases-in-memory.ts";
import { takeExperiment } from "./take-experiment.ts";

const recipe = completeRecipe(create(RecipeSchema, { data: { path: "book.txt" } }));

async function queue(t: TestScope) {
  const system = experimentsInMemory();
  const { experiments } = system;
  const blobs = openBlobs(pathToFileURL(temporaryDirectory(t)).href);
  let ms = 0;
  const now = () => new Date((ms += 1));
  const leases = leasesInMemory();
  const dependencies = { experiments, leases, worker: "test", blobs, now, log: createLog("test", "fatal" as "error") };
  const identity = { id: "a", title: "a", recipe, requestId: "", requestSha256: "", priority: Priority.NORMAL };
  await experiments.settle(await experiments.create("a", queued(identity, now())));
  return {
    system,
    blobs,
    dependencies,
    experiments,
    leases,
    taking: () => takeExperiment(dependencies, "a"),
    /** Behind the death of the worker that had it, if one had. */
    take: async () => {
      leases.expire("a");
      const taking = await takeExperiment(dependencies, "a");
      return typeof taking === "string" ? undefined : taking;
    },
    record: async () => experimentOf((await experiments.get("a")).value),
    interrupt: (reason: Reason, message = "it died") =>
      experiments.advance("a", "interrupt", { now: now(), reason, message }),
    end: () => experiments.advance("a", "fail", { now: now(), message: "" }),
    checkpoint: async (microStep: number, attempt = 1) => {
      const state = {
        experiment: "a",
        attempt,
        attemptNonce: "n",
        microStep,
        optimizerStep: microStep,
        epoch: 1,
        tokensSeen: 1,
        cursor: { epoch: 1, row: 1 },
        seed: 1,
        recipeSha256: recipeSha256(recipe),
        dataset: "d",
        datasetSha256: "d".repeat(64),
        exactness: {},
      };
      const parts = await writeCheckpointParts(blobs, { model: new Map(), optimizer: new Map(), state });
      await sealCheckpoint(blobs, {
        ...state,
        parts,
        final: false,
        createTime: "2025-07-30T15:30:00.000Z",
        writeSeconds: 0,
      });
    },
  };
}

test("a waiting experiment becomes attempt 1, its number claimed in the store before it stands in the record", async (t) => {
  const { take, record, blobs } = await queue(t);
  const taken = await take();
  assert.deepEqual([taken?.claim.attempt, taken?.claim.resumesFrom, taken?.claim.fruitless], [1, 0, 0]);
  assert.deepEqual([(await record()).attempt, (await record()).state], [1, State.PREPARING]);
  assert.equal(await blobs.create("experiments/a/attempts/1.json", new Uint8Array()), false);
  const stored = JSON.parse(new TextDecoder().decode(await blobs.read("experiments/a/recipe.json")));
  assert.equal(stored.training.beta2, 0.95);
});

test("what a worker holds is not taken, however often its piece is handed out; when its lease has run out it is attempt 2", async (t) => {
  const { take, taking, record, system, blobs } = await queue(t);
  const first = await take();
  assert.equal(await taking(), "held by another");
  assert.equal((await record()).attempt, 1);
  const second = await take();
  assert.equal(second?.claim.attempt, 2);
  assert.deepEqual(system.announced, ["1 QUEUED", "2 PREPARING", "3 INTERRUPTED", "4 PREPARING"]);
  assert.ok(first !== undefined && (await isFenced(blobs, first.claim)));
  assert.ok(second !== undefined && !(await isFenced(blobs, second.claim)));
  assert.deepEqual([first.lease.standing(), second.lease.standing()], ["overdue", "held"]);
});

test("a lease that is lost between two looks at the experiment makes no claim", async (t) => {
  const { taking, leases, system, blobs } = await queue(t);
  await system.experiments.change("a", ({ value }) => marked(value, { announced: 0 })); // so that taking it writes
  system.beforeWrite = async () => leases.expire("a");
  await assert.rejects(taking(), (error) => error instanceof Aborted && error.reason === "LEASE_LOST");
  assert.equal(await blobs.stat("experiments/a/attempts/1.json"), undefined);
});

test("an attempt that died between claim and record leaves its number behind", async (t) => {
  const { take, blobs } = await queue(t);
  await blobs.create("experiments/a/attempts/1.json", new TextEncoder().encode("{"));
  assert.equal((await take())?.claim.attempt, 2);
});

test("a checkpoint that a sleeper writes behind what its successor goes on from is none", async (t) => {
  const { take, checkpoint, interrupt } = await queue(t);
  await take();
  await checkpoint(20, 1);
  await interrupt(Reason.WORKER_LOST);
  assert.equal((await take())?.claim.resumesFrom, 20);
  await checkpoint(60, 1);
  await checkpoint(40, 2);
  await interrupt(Reason.WORKER_LOST);
  const third = await take();
  assert.deepEqual([third?.claim.resumesFrom, third?.resume?.manifest.attempt], [40, 2]);
});

test("of two workers that take at once the second claim is made of what is there behind the first", async (t) => {
  const { blobs, dependencies, checkpoint } = await queue(t);
  await checkpoint(20);
  const claim = {
    experiment: "a",
    attempt: 1,
    nonce: "n",
    time: "2025-07-30T15:30:00.000Z",
    resumesFrom: 8,
    fruitless: 0,
  };
  let isTaken = false;
  const create: BlobStore["create"] = async (key, content) => {
    if (!isTaken && (isTaken = true)) assert.ok(await claimAttempt(blobs, claim)); // in the last moment
    return await blobs.create(key, content);
  };
  const raced = new Proxy(blobs, {
    get: (_, name: keyof BlobStore) => (name === "create" ? create : blobs[name].bind(blobs)),
  });
  const taken = await takeExperiment({ ...dependencies, blobs: raced }, "a");
  assert.ok(typeof taken !== "string");
  assert.deepEqual([taken.claim.attempt, taken.claim.resumesFrom], [2, 20]);
});

test("what has ended is no work any more, nor what its user wants to end or to wait", async (t) => {
  const ended = await queue(t);
  await ended.take();
  await ended.end();
  assert.equal(await ended.take(), undefined);
  for (const [wish, state] of [
    [{ cancelRequested: true }, State.CANCELLED],
    [{ pauseRequested: true }, State.PAUSED],
  ] as const) {
    const wished = await queue(t);
    await wished.take();
    await wished.experiments.change("a", ({ value }) => withFields(value, wish));
    assert.equal(await wished.take(), undefined);
    assert.deepEqual([(await wished.record()).state, (await wished.record()).reason], [state, Reason.USER]);
    assert.equal(await wished.taking(), "nothing to do"); // and nobody holds it
  }
});

test("the newest checkpoint is where it goes on, and one of another recipe is none", async (t) => {
  const { take, checkpoint, interrupt } = await queue(t);
  await checkpoint(20);
  await checkpoint(40);
  assert.equal((await take())?.claim.resumesFrom, 40);
  await interrupt(Reason.WORKER_LOST);
  assert.equal((await take())?.resume?.manifest.microStep, 40);
});

test("five attempts that die at the same place are enough; progress and wished stops are no failures", async (t) => {
  const { take, interrupt, record, checkpoint } = await queue(t);
  for (let attempt = 1; attempt <= 4; attempt += 1) {
    assert.equal((await take())?.claim.fruitless, attempt - 1);
    await interrupt(Reason.EXIT_CODE);
  }
  await checkpoint(8, 4);
  assert.equal((await take())?.claim.fruitless, 0);
  for (const reason of [Reason.USER, Reason.PREEMPTED, Reason.OUT_OF_RESOURCES]) assert.ok(!isFault(reason));
  await interrupt(Reason.SHUTDOWN);
  for (let fruitless = 0; fruitless < 5; fruitless += 1) {
    assert.equal((await take())?.claim.fruitless, fruitless);
    await interrupt(Reason.WORKER_LOST, `it died for the ${fruitless + 1}. time`);
  }
  assert.equal(await take(), undefined);
  const { state, reason, message } = await record();
  assert.deepEqual([state, reason], [State.FAILED, Reason.WORKER_LOST]);
  const history = [1, 2, 3, 4, 5].map((time) => `attempt ${time + 5}: it died for the ${time}. time`).join("; ");
  assert.equal(message, `given up: 5 attempts in a row got no further than micro-step 8: ${history}`);
});

test("a worker killed between holding a checkpoint and loading it leaves no hold behind its successor's claim", async (t) => {
  const { take, checkpoint, blobs } = await queue(t);
  await take();
  await checkpoint(4);
  const four = { experiment: "a", microStep: 4 };
  await acquireCheckpoint(blobs, four, "attempt-2-died-before-its-claim");
  const taken = await take();
  assert.deepEqual(await checkpointHolders(blobs, four), [`attempt-2-${taken?.claim.nonce}`]);
});
