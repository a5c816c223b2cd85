/** Experiments from their request to their end, through the service's real processes and a real broker. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { listCheckpoints, readCheckpointState } from "@pretrain/checkpoint";
import { AlreadyExists, FailedPrecondition, InvalidArgument, NotFound } from "@pretrain/errors";
import type { Delivered, EventMessage, KindName } from "@pretrain/events";
import { Experiment_Reason as Reason, Experiment_State as State } from "@pretrain/proto";
import { until } from "@pretrain/testing";
import { stateName } from "./experiment/lifecycle.ts";
import { rows, vocabulary } from "./test-support/fake-data-shard.ts";
import { eventsOf, startSystem, tinyRecipe, tinySteps } from "./test-support/running-trainer.ts";

function ofKind<Kind extends KindName>(events: readonly Delivered[], kind: Kind) {
  return events.flatMap((event) => (event.kind === kind ? [event.message as EventMessage<Kind>] : []));
}

test("an experiment goes its way to COMPLETED, and every number of it is said once", async (t) => {
  const system = await startSystem(t);
  const trainer = await system.startTrainer();
  const started = await trainer.client.startExperiment({ experimentId: "1.4.0", recipe: tinyRecipe });
  assert.deepEqual([started.name, started.title, started.state], ["experiments/1-4-0", "1.4.0", State.QUEUED]);
  const experiment = await trainer.ended(started.name);
  const events = await eventsOf(system, started.name);
  const steps = ofKind(events, "step");

  await t.test("its states are told in order, each with its number, the first one with the complete recipe", () => {
    assert.equal(experiment.state, State.COMPLETED, experiment.message);
    const told = ofKind(events, "state").map(({ sequence, to }) => `${sequence} ${stateName(to)}`);
    assert.deepEqual(told, ["1 QUEUED", "2 PREPARING", "3 RUNNING", "4 COMPLETED"]);
    const [first] = ofKind(events, "state");
    assert.deepEqual(
      [first?.title, first?.recipe?.training?.beta2, first?.recipeSha256],
      ["1.4.0", 0.95, experiment.recipeSha256],
    );
  });

  await t.test("the record ends true: counts, moments in order, dataset, parameters", () => {
    const { progress, createTime, startTime, trainingStartTime, trainingEndTime, endTime } = experiment;
    assert.deepEqual(
      [
        progress?.microStep,
        progress?.totalMicroSteps,
        progress?.optimizerStep,
        progress?.totalOptimizerSteps,
        progress?.epoch,
      ],
      [15n, 15n, 7n, 7n, 3],
    );
    const moments = [createTime, startTime, trainingStartTime, trainingEndTime, endTime].map((time) =>
      time ? timestampMs(time) : 0,
    );
    assert.deepEqual(
      moments,
      moments.toSorted((a, b) => a - b),
    );
    assert.ok((moments[0] ?? 0) > 0);
    assert.equal(experiment.dataset, "datasets/rows");
    // V d + d + per layer: 2 d² + 2 d k + 3 d h + 2 d, with V 300, d 16, k 8, h 24
    assert.equal(experiment.parameters, BigInt(300 * 16 + 16 + 2 * 256 + 2 * 128 + 3 * 384 + 32));
    assert.equal(ofKind(events, "attempt")[0]?.parameters, experiment.parameters);
  });

  await t.test("steps are gapless, updates come every second one, the parts of their times add up", () => {
    assert.deepEqual(
      steps.map(({ microStep }) => Number(microStep)),
      Array.from({ length: tinySteps }, (_, i) => i + 1),
    );
    assert.deepEqual(
      steps.map(({ epoch }) => epoch),
      [1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3],
    );
    for (const { microStep, gradientNorm, clipScale, times, optimizerStep, rows: ofStep } of steps) {
      assert.equal(gradientNorm !== undefined && clipScale !== undefined, microStep % 2n === 0n, `${microStep}`);
      assert.equal(optimizerStep, microStep / 2n);
      assert.equal(ofStep, microStep % 5n === 0n ? rows % 8 : 8);
      const { dataMs = 0, forwardBackwardMs = 0, optimizerMs = 0, otherMs = 0, totalMs = 0 } = times ?? {};
      assert.ok(Math.abs(dataMs + forwardBackwardMs + optimizerMs + otherMs - totalMs) < 1e-6);
      assert.equal(optimizerMs > 0, microStep % 2n === 0n);
    }
  });

  await t.test("rates follow the cosine by optimizer steps, and the first loss is near ln V", () => {
    const rate = (step: number) => 0.005 * (1 + Math.cos((Math.PI * step) / 7));
    for (const { microStep, learningRate } of steps) {
      assert.ok(Math.abs(learningRate - rate(Math.floor((Number(microStep) - 1) / 2))) < 1e-12, `${microStep}`);
    }
    const [first] = steps;
    const loss = (first?.lossNats ?? 0) / Number(first?.lossTokens);
    assert.ok(Math.abs(loss - Math.log(vocabulary)) < 0.3, `${loss}`);
    assert.ok((steps.at(-1)?.lossNats ?? 0) / Number(steps.at(-1)?.lossTokens) < loss - 0.5);
  });

  await t.test("samples are taken behind every fifth step, as means of those five", () => {
    const profiles = ofKind(events, "profile");
    assert.deepEqual(
      profiles.map(({ microStep, microSteps }) => [Number(microStep), microSteps]),
      [
        [5, 5],
        [10, 5],
        [15, 5],
      ],
    );
    const ofFirst = steps.slice(0, 5);
    const totalMs = ofFirst.reduce((sum, { times }) => sum + (times?.totalMs ?? 0), 0);
    assert.ok(Math.abs((profiles[0]?.mean?.totalMs ?? 0) - totalMs / 5) < 1e-6);
    const tokens = ofFirst.reduce((sum, step) => sum + Number(step.tokens), 0);
    assert.ok(Math.abs((profiles[0]?.tokensPerSecond ?? 0) - (1000 * tokens) / totalMs) < 1e-6);
    const memory = ofKind(events, "memory");
    assert.deepEqual(
      memory.map(({ microStep }) => Number(microStep)),
      [5, 10, 15],
    );
    assert.equal(memory[0]?.tensors, memory[2]?.tensors); // between steps nothing is left over
    assert.ok((memory[0]?.peakRssBytes ?? 0n) >= (memory[0]?.rssBytes ?? 1n));
  });

  await t.test("each phase ended well, with a note of what was measured", () => {
    const phases = ofKind(events, "phase");
    assert.deepEqual(
      phases.map(({ phase }) => phase),
      ["environment", "data", "model", "training"],
    );
    assert.ok(phases.every(({ succeeded }) => succeeded));
    assert.match(phases[0]?.note ?? "", /^TensorFlow 2\.21\.0 on CPU, \d+ threads, oneDNN on, float32$/);
    assert.match(phases[1]?.note ?? "", /^37 training and 3 validation rows, 0 of 40 rejected, 300 tokenizer entries$/);
    assert.match(phases[2]?.note ?? "", /^0\.01 M parameters from seed 5, 15 micro-steps to do$/);
    assert.match(phases[3]?.note ?? "", /^15 micro-steps, 7 optimizer steps, \d+ tokens\/s at the end$/);
    assert.equal(ofKind(events, "dataset")[0]?.report?.manifestSha256, "d".repeat(64));
    assert.deepEqual(ofKind(events, "log"), []);
  });

  await t.test("checkpoints lie at the interval and at the end, as listed, announced and stored", async () => {
    const announced = ofKind(events, "checkpoint").map(({ checkpoint }) => checkpoint);
    assert.deepEqual(
      announced.map((each) => [Number(each?.microStep), each?.final]),
      [
        [4, false],
        [8, false],
        [12, false],
        [15, true],
      ],
    );
    const { checkpoints } = await trainer.client.listCheckpoints({ parent: "experiments/1.4.0" });
    assert.deepEqual(checkpoints, announced);
    const stored = (await listCheckpoints(system.blobs, "1-4-0")).checkpoints.at(-1);
    assert.ok(stored !== undefined);
    const state = await readCheckpointState(system.blobs, stored);
    assert.deepEqual(state.cursor, { epoch: 4, row: 0 });
    assert.equal(state.tokensSeen, Number(steps.at(-1)?.tokensSeen));
    assert.deepEqual([state.exactness["device_batch_rows"], state.exactness["precision"]], ["8", "float32"]);
    const page = await trainer.client.listCheckpoints({ parent: started.name, pageSize: 3 });
    const rest = await trainer.client.listCheckpoints({ parent: started.name, pageToken: page.nextPageToken });
    assert.deepEqual([...page.checkpoints, ...rest.checkpoints], checkpoints);
  });

  await t.test("the same recipe again gives the same losses, number by number; another seed does not", async () => {
    const losses = async (experimentId: string, seed: number) => {
      const recipe = { ...tinyRecipe, training: { ...tinyRecipe.training, seed } };
      const { name } = await trainer.client.startExperiment({ experimentId, recipe });
      assert.equal((await trainer.ended(name)).state, State.COMPLETED);
      return ofKind(await eventsOf(system, name), "step").map(({ lossNats }) => lossNats);
    };
    const first = steps.map(({ lossNats }) => lossNats);
    assert.deepEqual(await losses("again", 5), first);
    assert.notDeepEqual(await losses("other-seed", 6), first);
  });

  await t.test(
    "of three requests with one request id, the same gets the same experiment, others are refused",
    async () => {
      const request = { experimentId: "idempotent", recipe: tinyRecipe, requestId: "r-1" };
      const first = await trainer.client.startExperiment(request);
      const second = await trainer.client.startExperiment(request);
      assert.deepEqual([second.name, second.createTime], [first.name, first.createTime]);
      await assert.rejects(trainer.client.startExperiment({ ...request, experimentId: "another" }), AlreadyExists);
      await assert.rejects(
        trainer.client.startExperiment({ experimentId: "idempotent", recipe: tinyRecipe }),
        AlreadyExists,
      );
      await trainer.ended(first.name);
      const names = (await trainer.client.listExperiments({})).experiments.map(({ name }) => name);
      assert.deepEqual(names, [
        "experiments/idempotent",
        "experiments/other-seed",
        "experiments/again",
        "experiments/1-4-0",
      ]);
    },
  );

  await t.test("faults of id and recipe are named together, and what is not there is not found", async () => {
    const recipe = { ...tinyRecipe, model: { ...tinyRecipe.model, nHeads: 3 } };
    await assert.rejects(trainer.client.startExperiment({ experimentId: "a/b", recipe }), (error) => {
      assert.ok(error instanceof InvalidArgument);
      assert.deepEqual(
        error.violations.map(({ field }) => field),
        ["experiment_id", "recipe.model.dim"],
      );
      return true;
    });
    await assert.rejects(trainer.client.getExperiment({ name: "experiments/nothing" }), NotFound);
    await assert.rejects(trainer.client.listCheckpoints({ parent: "experiments/nothing" }), NotFound);
    await assert.rejects(trainer.client.cancelExperiment({ name: started.name }), FailedPrecondition);
  });
});

test("data that cannot be used, and losses that are no numbers, end in FAILED with the reason", async (t) => {
  const system = await startSystem(t);
  const trainer = await system.startTrainer();
  const model = { ...tinyRecipe.model, vocabSize: 301 };
  const exploding = {
    ...tinyRecipe.training,
    epochs: 30,
    learningRate: 10,
    weightDecay: 10,
    schedule: "constant",
    decayOn: "all",
  };
  for (const [experimentId, recipe, reason, words, phase] of [
    [
      "missing",
      { ...tinyRecipe, data: { path: "missing.txt" } },
      Reason.INVALID_INPUT,
      /^recipe\.data\.path: missing\.txt does not exist$/,
      "data",
    ],
    [
      "broken",
      { ...tinyRecipe, data: { path: "broken.txt" } },
      Reason.INVALID_INPUT,
      /^broken\.txt: no row can be used$/,
      "data",
    ],
    [
      "vocabulary",
      { ...tinyRecipe, model },
      Reason.INVALID_INPUT,
      /^recipe\.model\.vocab_size: 301, but the tokenizer has 300 entries/,
      "data",
    ],
    [
      "exploding",
      { ...tinyRecipe, training: exploding },
      Reason.NOT_FINITE,
      /^the (loss of micro-step|gradient norm of optimizer step) \d+.* is (NaN|Infinity)$/,
      "training",
    ],
  ] as const) {
    await t.test(experimentId, async () => {
      const { name } = await trainer.client.startExperiment({ experimentId, recipe });
      const experiment = await trainer.ended(name);
      assert.deepEqual([stateName(experiment.state), experiment.reason], ["FAILED", reason], experiment.message);
      assert.match(experiment.message, words);
      const events = await eventsOf(system, name);
      assert.equal(ofKind(events, "state").at(-1)?.message, experiment.message);
      assert.deepEqual(
        ofKind(events, "phase")
          .filter(({ succeeded }) => !succeeded)
          .map((ended) => ended.phase),
        [phase],
      );
      assert.equal(ofKind(events, "log").at(-1)?.message, experiment.message);
      assert.ok(ofKind(events, "step").every(({ lossNats }) => Number.isFinite(lossNats)));
    });
  }
});

test("cancelling stops a run behind the micro-step it is in, and a waiting experiment at once", async (t) => {
  const system = await startSystem(t);
  const trainer = await system.startTrainer();
  system.dataShard.lastMicroStep = 3;
  const { name } = await trainer.client.startExperiment({ experimentId: "running", recipe: tinyRecipe });
  const waiting = await trainer.client.startExperiment({ experimentId: "waiting", recipe: tinyRecipe });
  await until(async () => (await trainer.client.getExperiment({ name })).state === State.RUNNING, {
    timeoutMs: 30_000,
  });
  const stale = waiting.etag;
  const cancelled = await trainer.client.cancelExperiment({ name: waiting.name });
  assert.deepEqual([cancelled.state, cancelled.reason], [State.CANCELLED, Reason.USER]);
  await assert.rejects(trainer.client.cancelExperiment({ name: waiting.name, etag: stale }), /etag/);
  await until(async () => (await trainer.client.getExperiment({ name })).progress?.microStep === 3n, {
    timeoutMs: 30_000,
  });
  const asked = await trainer.client.cancelExperiment({ name });
  assert.deepEqual([asked.state, asked.cancelRequested], [State.RUNNING, true]);
  const ended = await trainer.ended(name);
  assert.deepEqual([ended.state, ended.reason, ended.cancelRequested], [State.CANCELLED, Reason.USER, false]);
  const steps = ofKind(await eventsOf(system, name), "step");
  assert.ok(steps.length > 0 && steps.length < tinySteps, `${steps.length} steps`);
});

test("a worker that finds no more work ends, and the next experiment gets a new one", async (t) => {
  const system = await startSystem(t);
  const trainer = await system.startTrainer({ PRETRAIN_WORKER_IDLE_MS: "500" });
  const workers = () => trainer.log.filter(({ msg }) => msg === "worker started").map(({ worker }) => worker);
  const ended = () => trainer.log.filter(({ msg }) => msg === "worker ended").map(({ worker, code }) => [worker, code]);
  for (const [experimentId, count] of [
    ["first", 1],
    ["second", 2],
  ] as const) {
    const { name } = await trainer.client.startExperiment({ experimentId, recipe: tinyRecipe });
    assert.equal((await trainer.ended(name)).state, State.COMPLETED);
    await until(() => ended().length === count, { timeoutMs: 20_000 });
  }
  assert.equal(new Set(workers()).size, 2);
  assert.deepEqual(
    ended(),
    workers().map((worker) => [worker, 0]),
  );
});
