import assert from "node:assert/strict";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { create } from "@bufbuild/protobuf";
import { type BlobStore, openBlobs } from "@pretrain/blobs";
import { claimAttempt, isFenced, sealCheckpoint, writeCheckpointParts } from "@pretrain/checkpoint";
import { createLog } from "@pretrain/observability";
import {
  Experiment_Priority as Priority,
  Experiment_Reason as Reason,
  RecipeSchema,
  Experiment_State as State,
} from "@pretrain/proto";
import { completeRecipe, recipeSha256 } from "@pretrain/recipe";
import { type TestScope, temporaryDirectory } from "@pretrain/testing";
import { experimentOf, queued, withFields } from "../experiment/record.ts";
import { experimentsInMemory } from "../test-support/experiments-in-memory.ts";
import { takeExperiment } from "./take-experiment.ts";

const recipe = completeRecipe(create(RecipeSchema, { data: { path: "book.txt" } }));

async function queue(t: TestScope) {
  const system = experimentsInMemory();
  const { experiments } = system;
  const blobs = openBlobs(pathToFileURL(temporaryDirectory(t)).href);
  let ms = 0;
  const now = () => new Date((ms += 1));
  const dependencies = { experiments, blobs, now, log: createLog("test", "fatal" as "error") };
  const identity = { id: "a", title: "a", recipe, requestId: "", requestSha256: "", priority: Priority.NORMAL };
  await experiments.settle(await experiments.create("a", queued(identity, now())));
  return {
    system,
    blobs,
    dependencies,
    experiments,
    take: (deliveries: number) => takeExperiment(dependencies, "a", deliveries),
    record: async () => experimentOf((await experiments.get("a")).value),
    interrupt: (reason: Reason) => experiments.advance("a", "interrupt", { now: now(), reason, message: "it died" }),
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
  const taken = await take(1);
  assert.deepEqual([taken?.claim.attempt, taken?.claim.resumesFrom, taken?.claim.fruitless], [1, 0, 0]);
  assert.deepEqual([(await record()).attempt, (await record()).state], [1, State.PREPARING]);
  assert.equal(await blobs.create("experiments/a/attempts/1.json", new Uint8Array()), false);
  const stored = JSON.parse(new TextDecoder().decode(await blobs.read("experiments/a/recipe.json")));
  assert.equal(stored.training.beta2, 0.95);
});

test("a second piece of work for what a worker holds is struck off; a piece that comes back makes attempt 2", async (t) => {
  const { take, record, system, blobs } = await queue(t);
  const first = await take(1);
  assert.equal(await take(1), undefined);
  assert.equal((await record()).attempt, 1);
  const second = await take(2);
  assert.equal(second?.claim.attempt, 2);
  assert.deepEqual(system.announced, ["1 QUEUED", "2 PREPARING", "3 INTERRUPTED", "4 PREPARING"]);
  assert.ok(first !== undefined && (await isFenced(blobs, first.claim)));
  assert.ok(second !== undefined && !(await isFenced(blobs, second.claim)));
});

test("an attempt that died between claim and record leaves its number behind", async (t) => {
  const { take, blobs } = await queue(t);
  await blobs.create("experiments/a/attempts/1.json", new TextEncoder().encode("{"));
  assert.equal((await take(1))?.claim.attempt, 2);
});

test("a checkpoint that a sleeper writes behind what its successor goes on from is none", async (t) => {
  const { take, checkpoint, interrupt } = await queue(t);
  await take(1);
  await checkpoint(20, 1);
  await interrupt(Reason.WORKER_LOST);
  assert.equal((await take(2))?.claim.resumesFrom, 20);
  await checkpoint(60, 1);
  await checkpoint(40, 2);
  await interrupt(Reason.WORKER_LOST);
  const third = await take(3);
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
  const taken = await takeExperiment({ ...dependencies, blobs: raced }, "a", 1);
  assert.deepEqual([taken?.claim.attempt, taken?.claim.resumesFrom], [2, 20]);
});

test("what has ended, or is to be cancelled, is no work any more", async (t) => {
  const ended = await queue(t);
  await ended.take(1);
  await ended.end();
  assert.equal(await ended.take(2), undefined);
  const wished = await queue(t);
  await wished.take(1);
  await wished.experiments.change("a", ({ value }) => withFields(value, { cancelRequested: true }));
  assert.equal(await wished.take(2), undefined);
  assert.equal((await wished.record()).state, State.CANCELLED);
});

test("the newest checkpoint is where it goes on, and one of another recipe is none", async (t) => {
  const { take, checkpoint, interrupt } = await queue(t);
  await checkpoint(20);
  await checkpoint(40);
  assert.equal((await take(1))?.claim.resumesFrom, 40);
  await interrupt(Reason.WORKER_LOST);
  assert.equal((await take(2))?.resume?.manifest.microStep, 40);
});

test("five attempts that die at the same place are enough; progress and wished stops are no failures", async (t) => {
  const { take, interrupt, record, checkpoint } = await queue(t);
  for (let attempt = 1; attempt <= 4; attempt += 1) {
    assert.equal((await take(attempt))?.claim.fruitless, attempt - 1);
    await interrupt(Reason.EXIT_CODE);
  }
  await checkpoint(8, 4);
  assert.equal((await take(5))?.claim.fruitless, 0);
  await interrupt(Reason.SHUTDOWN);
  for (let fruitless = 0; fruitless < 5; fruitless += 1) {
    assert.equal((await take(9))?.claim.fruitless, fruitless);
    await interrupt(Reason.OUT_OF_RESOURCES);
  }
  assert.equal(await take(9), undefined);
  const { state, reason, message } = await record();
  assert.deepEqual([state, reason], [State.FAILED, Reason.OUT_OF_RESOURCES]);
  assert.equal(message, "given up: 5 attempts in a row got no further than micro-step 8; the last one: it died");
});
