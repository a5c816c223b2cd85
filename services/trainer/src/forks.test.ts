/** Forks through the service's real processes: what a fork computes beside what its parent has computed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { checkpointHolders, listCheckpoints } from "@pretrain/checkpoint";
import {
  type Experiment,
  type ForkExperimentRequestSchema,
  Experiment_Reason as Reason,
  Experiment_State as State,
} from "@pretrain/proto";
import { until } from "@pretrain/testing";
import {
  eventsOf,
  type System,
  startSystem,
  type Trainer,
  tinyRecipe,
  workersOf,
} from "./test-support/running-trainer.ts";

/** A busy machine takes long to load and to trace; nothing here depends on how long. */
const patienceMs = 120_000;

interface Result {
  readonly experiment: Experiment;
  /** Summed losses by micro-step; of each step the highest attempt's. */
  readonly losses: ReadonlyMap<number, number>;
  /** Digests of the last checkpoint's weights and moments. */
  readonly last: { readonly microStep: number | undefined; readonly digests: readonly (string | undefined)[] };
}

async function resultOf(system: System, trainer: Trainer, name: string): Promise<Result> {
  const experiment = await trainer.ended(name);
  const steps = (await eventsOf(system, name)).flatMap((event) => (event.kind === "step" ? [event.message] : []));
  const byAttempt = steps.sort((a, b) => a.attempt - b.attempt);
  const losses = new Map(byAttempt.map(({ microStep, lossNats }) => [Number(microStep), lossNats]));
  const manifest = (await listCheckpoints(system.blobs, name.replace("experiments/", ""))).checkpoints.at(-1)?.manifest;
  const digestOf = (part: string) => manifest?.parts.find((each) => each.name === part)?.sha256;
  const digests = [digestOf("model.safetensors"), digestOf("optimizer.safetensors")];
  return { experiment, losses, last: { microStep: manifest?.microStep, digests } };
}

/** The losses of the parent's steps behind the fork's beginning. */
function lossesBehind(microStep: number, { losses }: Result): (readonly [number, number])[] {
  return [...losses].filter(([step]) => step > microStep).sort(([a], [b]) => a - b);
}

const checkpoint = "experiments/parent/checkpoints/8";

test("forks of an experiment", async (t) => {
  const system = await startSystem(t);
  const trainer = await system.startTrainer();
  await trainer.client.startExperiment({ experimentId: "parent", recipe: tinyRecipe });
  const parent = await resultOf(system, trainer, "experiments/parent");
  assert.equal(parent.experiment.state, State.COMPLETED, parent.experiment.message);
  const forked = async (experimentId: string, more: MessageInitShape<typeof ForkExperimentRequestSchema> = {}) => {
    const { name } = await trainer.client.forkExperiment({ checkpoint, experimentId, ...more });
    return await resultOf(system, trainer, name);
  };

  await t.test("unchanged, it computes what its parent computed behind the checkpoint, bit for bit", async () => {
    const fork = await forked("same");
    assert.equal(fork.experiment.state, State.COMPLETED, fork.experiment.message);
    assert.deepEqual(lossesBehind(0, fork), lossesBehind(8, parent)); // steps 9 to 15, and no others
    assert.deepEqual(fork.last, parent.last); // weights and both moments
    assert.equal(fork.experiment.progress?.optimizerStep, parent.experiment.progress?.optimizerStep);
  });

  await t.test("with another learning rate, it differs from the first update on, and not before", async () => {
    const fork = await forked("slower", { recipe: { training: { learningRate: 1e-3 } } });
    assert.equal(fork.experiment.state, State.COMPLETED, fork.experiment.message);
    const [found, expected] = [lossesBehind(8, fork), lossesBehind(8, parent)];
    assert.deepEqual(found.slice(0, 2), expected.slice(0, 2)); // the update comes behind micro-step 10
    assert.notDeepEqual(found.slice(2, 3), expected.slice(2, 3));
    assert.notDeepEqual(fork.last.digests, parent.last.digests);
    assert.deepEqual(
      fork.experiment.origin?.differences.map(({ field, parent, fork }) => [field, parent, fork]),
      [["training.learning_rate", "0.01", "0.001"]],
    );
  });

  await t.test("with an epoch more, it goes on behind its parent's end", async () => {
    const fork = await forked("longer", { recipe: { training: { epochs: 4 } } });
    assert.equal(fork.experiment.state, State.COMPLETED, fork.experiment.message);
    assert.deepEqual([...fork.losses.keys()], [9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]);
    assert.equal(fork.experiment.progress?.totalMicroSteps, 20n);
  });

  await t.test("killed before its first checkpoint, it begins at its parent's again", async () => {
    system.dataShard.lastMicroStep = 11;
    const { name } = await trainer.client.forkExperiment({ checkpoint, experimentId: "killed" });
    const isHeld = async () => (await trainer.client.getExperiment({ name })).progress?.microStep === 11n;
    await until(isHeld, { timeoutMs: patienceMs });
    for (const pid of workersOf(trainer.pid).computing) process.kill(pid, "SIGKILL");
    system.dataShard.lastMicroStep = Number.POSITIVE_INFINITY;
    const fork = await resultOf(system, trainer, name);
    assert.equal(fork.experiment.state, State.COMPLETED, fork.experiment.message);
    assert.equal(fork.experiment.attempt, 2);
    assert.deepEqual(lossesBehind(0, fork), lossesBehind(8, parent));
    assert.deepEqual(fork.last, parent.last);
  });

  await t.test("the checkpoint is let go when the forks have their own", async () => {
    const isFree = async () =>
      (await checkpointHolders(system.blobs, { experiment: "parent", microStep: 8 })).length === 0;
    await until(isFree, { timeoutMs: patienceMs });
  });

  await t.test("a fork of a fork goes on where that one was", async () => {
    const fork = await forked("grandchild", { checkpoint: "experiments/same/checkpoints/12" });
    assert.equal(fork.experiment.state, State.COMPLETED, fork.experiment.message);
    assert.deepEqual(lossesBehind(0, fork), lossesBehind(12, parent));
    assert.deepEqual(fork.last, parent.last);
  });

  await t.test("a parent's checkpoint that is removed before the fork begins: FAILED, and why", async () => {
    system.dataShard.lastMicroStep = 3; // keeps the worker busy
    const busy = await trainer.client.startExperiment({ experimentId: "busy", recipe: tinyRecipe });
    const isHeld = async () => (await trainer.client.getExperiment({ name: busy.name })).progress?.microStep === 3n;
    await until(isHeld, { timeoutMs: patienceMs });
    const { name } = await trainer.client.forkExperiment({ checkpoint, experimentId: "orphan" });
    for await (const { key } of system.blobs.list(`${checkpoint}/`)) await system.blobs.delete(key);
    system.dataShard.lastMicroStep = Number.POSITIVE_INFINITY;
    const { state, reason, message } = await trainer.ended(name);
    assert.deepEqual([state, reason], [State.FAILED, Reason.DATA_LOSS]);
    assert.match(message, /experiments\/parent\/checkpoints\/8, which this experiment is forked from, is gone/);
  });
});
