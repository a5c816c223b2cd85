/** Early stopping through the service's real processes: what ends a run before its last step, and what is told of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { events } from "@pretrain/events";
import {
  type Checkpoint,
  EvaluationEndedSchema,
  Experiment_Reason as Reason,
  Experiment_State as State,
} from "@pretrain/proto";
import { until } from "@pretrain/testing";
import { eventsOf, type System, startSystem, type Trainer, tinyRecipe } from "./test-support/running-trainer.ts";

const patience = { timeoutMs: 120_000 };
const experiment = "experiments/a";

async function checkpointsOf({ client }: Trainer): Promise<Checkpoint[]> {
  return (await client.listCheckpoints({ parent: experiment })).checkpoints;
}

/** Says as the evaluator would what it found of a checkpoint. */
async function evaluated(
  { broker }: System,
  trainer: Trainer,
  microStep: number,
  natsPerToken?: number,
): Promise<void> {
  const found = (await checkpointsOf(trainer)).find((each) => Number(each.microStep) === microStep);
  const settings = { samples: 1, inputLength: 3, predictLength: 3, batchRows: 8 };
  const evaluation = {
    name: `evaluations/a-${microStep}`,
    checkpoint: `${experiment}/checkpoints/${microStep}`,
    checkpointSha256: found?.manifestSha256 ?? assert.fail(`no checkpoint ${microStep}`),
    settings,
    ...(natsPerToken !== undefined && { validationLoss: { nats: natsPerToken, tokens: 1n, natsPerToken } }),
  };
  await broker.publish(events.evaluation, create(EvaluationEndedSchema, { experiment, evaluation }));
}

test("results that stop improving end the run, also when they came in another order and to an earlier attempt", async (t) => {
  const system = await startSystem(t);
  let trainer = await system.startTrainer();
  system.dataShard.lastMicroStep = 13; // inside an accumulation of two
  const training = { ...tinyRecipe.training, earlyStoppingPatience: 2, earlyStoppingMinDelta: 0.01 };
  await trainer.client.startExperiment({ experimentId: "a", recipe: { ...tinyRecipe, training } });
  await until(async () => (await checkpointsOf(trainer)).length === 3, patience); // 4, 8 and 12

  await evaluated(system, trainer, 12, 2.995);
  await evaluated(system, trainer, 4, 3);
  const losses = async () =>
    (await checkpointsOf(trainer)).map(({ lossNatsPerToken, best }) => [lossNatsPerToken, best]);
  await until(async () => (await losses()).filter(([loss]) => loss !== undefined).length === 2, patience);
  assert.deepEqual(await losses(), [[3, false], [undefined, false], [2.995, true]]); // biome-ignore format: one line
  assert.equal((await trainer.client.getExperiment({ name: experiment })).earlyStop, undefined); // 8 may be better

  await trainer.kill();
  trainer = await system.startTrainer();
  await evaluated(system, trainer, 8, 3.1);
  system.dataShard.lastMicroStep = 14; // and no further: only a stop can end it
  const ended = await trainer.ended(experiment);

  assert.deepEqual([ended.state, ended.reason], [State.COMPLETED, Reason.STOPPED_EARLY], ended.message);
  assert.equal(ended.progress?.microStep, 14n);
  assert.equal(
    ended.message,
    "14 micro-steps, 7 optimizer steps; stopped early: 2 results in a row up to micro-step 12 did not improve; " +
      "best is experiments/a/checkpoints/12 with 2.9950 nats per token",
  );
  assert.deepEqual(
    (await checkpointsOf(trainer)).map(({ microStep, final }) => [Number(microStep), final]),
    [[4, false], [8, false], [12, false], [14, false]],
  ); // biome-ignore format: a table
  const states = (await eventsOf(system, experiment)).flatMap((each) => (each.kind === "state" ? [each.message] : []));
  assert.equal(states.at(-1)?.microStep, 14n); // the record knows by it that no step is missing
  assert.deepEqual(
    states.slice(0, -1).map(({ microStep }) => microStep),
    states.slice(1).map(() => undefined),
  );

  const fork = await trainer.client.forkExperiment({ checkpoint: `${experiment}/checkpoints/12`, experimentId: "b" });
  assert.equal(fork.origin?.microStep, 12n); // the best one, by its name
  assert.equal(fork.earlyStop, undefined);
});
