/** Forking with plain values: what is checked, stored, held and answered. How a fork trains stands in forks.test.ts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { openBlobs } from "@pretrain/blobs";
import { checkpointHolders, claimAttempt, sealCheckpoint, writeCheckpointParts } from "@pretrain/checkpoint";
import { AlreadyExists, DataLoss, FailedPrecondition, InvalidArgument, NotFound } from "@pretrain/errors";
import { createLog } from "@pretrain/observability";
import { ForkExperimentRequestSchema, StartExperimentRequestSchema, Experiment_State as State } from "@pretrain/proto";
import { type TestScope, temporaryDirectory } from "@pretrain/testing";
import { sweep } from "../stores/sweep.ts";
import { experimentsInMemory } from "../test-support/experiments-in-memory.ts";
import { forkExperiment } from "./fork-experiment.ts";
import { startExperiment } from "./start-experiment.ts";

/** A trainer with the experiment `parent`, which has a checkpoint behind micro-step 40, in its second epoch. */
async function withParent(t: TestScope) {
  const system = experimentsInMemory();
  const { experiments, index } = system;
  const blobs = openBlobs(pathToFileURL(temporaryDirectory(t)).href);
  const now = () => new Date(Date.UTC(2025, 6, 30));
  const log = createLog("test", "fatal" as "error");
  const dependencies = { experiments, index, blobs, now, log, wake: () => undefined };
  const recipe = { data: { path: "book.txt" }, training: { learningRate: 0.01, epochs: 3, accumulationSteps: 8 } };
  const parent = await startExperiment(dependencies)(
    create(StartExperimentRequestSchema, { experimentId: "parent", recipe, priority: 3 }),
  );
  const checkpoint = async (experiment: string, microStep: number, recipeSha256 = parent.recipeSha256) => {
    const shared = { experiment, microStep, recipeSha256, attempt: 1, attemptNonce: "n", optimizerStep: 5, epoch: 2 };
    const state = { ...shared, tokensSeen: 9, dataset: "d", cursor: { epoch: 2, row: 3 }, seed: 42 };
    const model = new Map([["w", { dtype: "F32" as const, shape: [1], data: new Float32Array([1]) }]]);
    const whole = { ...state, datasetSha256: "1".repeat(64), exactness: {} };
    const parts = await writeCheckpointParts(blobs, { model, optimizer: new Map(), state: whole });
    const { cursor: _, seed: __, ...facts } = state;
    const rest = { final: false, createTime: "2025-07-30T15:30:00.000Z", writeSeconds: 0, parts };
    return await sealCheckpoint(blobs, { ...facts, ...rest });
  };
  const claim = (experiment: string, resumesFrom: number) =>
    claimAttempt(blobs, { experiment, attempt: 1, nonce: "n", time: "t", resumesFrom, fruitless: 0 });
  await claim("parent", 0);
  const sealed = await checkpoint("parent", 40);
  const handler = forkExperiment(dependencies);
  return {
    ...dependencies,
    system,
    sealed,
    checkpoint,
    claim,
    fork: (experimentId: string, changes: MessageInitShape<typeof ForkExperimentRequestSchema> = {}) =>
      handler(
        create(ForkExperimentRequestSchema, {
          checkpoint: "experiments/parent/checkpoints/40",
          experimentId,
          ...changes,
        }),
      ),
    sweep: () => sweep({ experiments, index, blobs, hasWork: async () => true, isLeased: async () => false, now, log }),
    holders: (microStep = 40) => checkpointHolders(blobs, { experiment: "parent", microStep }),
  };
}

test("a fork is queued with its parent's recipe but for the fields that were given, and says where it comes from", async (t) => {
  const { fork, sealed, system, holders } = await withParent(t);
  const experiment = await fork("experiment_1_4_1", { recipe: { training: { learningRate: 0.005 } } });
  assert.deepEqual([experiment.name, experiment.title], ["experiments/1-4-1", "experiment_1_4_1"]);
  assert.equal(experiment.state, State.QUEUED);
  assert.deepEqual([experiment.recipe?.training?.learningRate, experiment.recipe?.training?.epochs], [0.005, 3]);
  assert.equal(experiment.priority, 3); // as urgent as its parent
  const { checkpoint, manifestSha256, microStep, differences = [] } = experiment.origin ?? {};
  assert.deepEqual(
    [checkpoint, manifestSha256, microStep],
    ["experiments/parent/checkpoints/40", sealed.manifestSha256, 40n],
  );
  assert.deepEqual(
    differences.map(({ field, parent, fork }) => [field, parent, fork]),
    [["training.learning_rate", "0.01", "0.005"]],
  );
  assert.deepEqual(system.enqueued, ["parent/1", "1-4-1/1"]);
  assert.deepEqual(await holders(), ["fork-1-4-1"]);
});

test("every field that must stay is named, and nothing is stored or held of what is refused", async (t) => {
  const { fork, holders, experiments } = await withParent(t);
  const recipe = { model: { dim: 64 }, training: { seed: 1, epochs: 1 } };
  await assert.rejects(fork("a", { recipe, requestId: "r" }), (error) => {
    assert.ok(error instanceof InvalidArgument);
    const fields = ["recipe.model.dim", "recipe.training.seed", "recipe.training.epochs"];
    assert.deepEqual(
      error.violations.map(({ field }) => field),
      fields,
    );
    return true;
  });
  await assert.rejects(fork("a", { updateMask: { paths: ["training.speed"] } }), InvalidArgument);
  await assert.rejects(fork("a/b", { checkpoint: "experiments/parent/checkpoints/x" }), (error) => {
    assert.ok(error instanceof InvalidArgument);
    assert.deepEqual(
      error.violations.map(({ field }) => field),
      ["experiment_id", "checkpoint"],
    );
    return true;
  });
  assert.equal(await experiments.find("a"), undefined);
  assert.deepEqual(await holders(), []);
  await fork("a", { requestId: "r" }); // the id of a refused request is still free
});

test("no parent, no checkpoint, a checkpoint of another recipe, one inside an accumulation: each said as what it is", async (t) => {
  const { fork, checkpoint } = await withParent(t);
  await assert.rejects(fork("a", { checkpoint: "experiments/nobody/checkpoints/40" }), NotFound);
  await assert.rejects(fork("a", { checkpoint: "experiments/parent/checkpoints/48" }), NotFound);
  await checkpoint("parent", 44);
  await assert.rejects(fork("a", { checkpoint: "experiments/parent/checkpoints/44" }), FailedPrecondition);
  await checkpoint("parent", 48, "2".repeat(64));
  await assert.rejects(fork("a", { checkpoint: "experiments/parent/checkpoints/48" }), DataLoss);
});

test("a repeated request gets the fork it made, also when the parent's checkpoint is gone by then, or an answer was lost", async (t) => {
  for (let calls = 0; calls <= 4; calls += 1) {
    const { fork, system, blobs, holders } = await withParent(t);
    system.callsLeft = calls; // create, publish, enqueue, mark
    await fork("a", { requestId: "r" }).catch(() => undefined);
    system.callsLeft = Number.POSITIVE_INFINITY;
    if (calls > 0) {
      for await (const { key } of blobs.list("experiments/parent/checkpoints/40/")) {
        if (!key.includes("/holds/")) await blobs.delete(key);
      }
    }
    const again = await fork("a", { requestId: "r" });
    assert.deepEqual([again.name, again.state], ["experiments/a", State.QUEUED]);
    assert.deepEqual(new Set(system.enqueued), new Set(["parent/1", "a/1"]));
    assert.deepEqual(await holders(), ["fork-a"]);
    await assert.rejects(fork("a", { requestId: "r", recipe: { training: { epochs: 4 } } }));
  }
});

test("an id that is taken, and a request id used otherwise, are ALREADY_EXISTS", async (t) => {
  const { fork } = await withParent(t);
  await fork("a", { requestId: "r" });
  for (const again of [
    () => fork("a"),
    () => fork("parent"),
    () => fork("b", { requestId: "r" }),
    () => fork("a", { requestId: "r", recipe: { training: { epochs: 4 } } }),
  ]) {
    await assert.rejects(again, AlreadyExists);
  }
});

test("the parent's checkpoint is held until the fork has its own, or has ended", async (t) => {
  const { fork, sweep, holders, experiments, checkpoint, claim } = await withParent(t);
  const change = { now: new Date(0), message: "" };
  const first = await fork("a");
  await fork("b");
  await sweep();
  assert.deepEqual(await holders(), ["fork-a", "fork-b"]);
  await experiments.advance("a", "prepare", change);
  await experiments.advance("b", "cancel", change);
  await sweep();
  assert.deepEqual(await holders(), ["fork-a"]);
  await claim("a", 40);
  await checkpoint("a", 48, first.recipeSha256);
  await sweep();
  assert.deepEqual(await holders(), []);
  assert.deepEqual(
    [(await experiments.get("a")).value.originHeld, (await experiments.get("b")).value.originHeld],
    [false, false],
  );
});

test("a crash between the record and the hold: the sweep makes the hold before the work is handed out", async (t) => {
  const { fork, sweep, holders, system, blobs } = await withParent(t);
  const put = blobs.put.bind(blobs);
  blobs.put = async (key, content) => {
    if (key.includes("/holds/")) throw new Error("the process dies here");
    return await put(key, content);
  };
  await assert.rejects(fork("a"), /dies here/);
  assert.deepEqual(system.enqueued, ["parent/1"]);
  blobs.put = put;
  await sweep();
  assert.deepEqual(await holders(), ["fork-a"]);
  assert.deepEqual(system.enqueued, ["parent/1", "a/1"]);
});
