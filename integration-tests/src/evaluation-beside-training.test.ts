/** Evaluations while their experiment trains: neither waits for the other, and each is in the record before the next checkpoint. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Evaluation_State, EvaluatorService, Experiment_State, ReportService, TrainerService } from "@pretrain/proto";
import { connectClient } from "@pretrain/rpc";
import { until } from "@pretrain/testing";
import { ended, finalReport } from "./experiments.ts";
import { serveGatedDataShard } from "./gated-data-shard.ts";
import { startSystem } from "./system-under-test.ts";
import { tinyRecipe } from "./tiny-recipe.ts";

const patience = { timeoutMs: 120_000 };

test("training goes on in the middle of an evaluation, whose result is in the ledger before the next checkpoint", async (t) => {
  const dataShard = await serveGatedDataShard(t);
  const system = await startSystem(t, { PRETRAIN_DATA_SHARD: dataShard.address });
  dataShard.connect(system.addresses["data-shard"]);
  using trainer = connectClient(TrainerService, system.addresses.trainer);
  using evaluator = connectClient(EvaluatorService, system.addresses.evaluator);
  using reports = connectClient(ReportService, system.addresses.report);
  const { name } = await trainer.startExperiment({ experimentId: "beside", recipe: tinyRecipe });
  const trainedTo = async (microStep: number) => {
    dataShard.training.allow(microStep);
    await until(
      async () => Number((await trainer.getExperiment({ name })).progress?.microStep) === microStep,
      patience,
    );
  };
  const stateOf = async (microStep: number) => {
    const { evaluations } = await evaluator.listEvaluations({ experiment: name });
    return evaluations.find(({ checkpoint }) => checkpoint.endsWith(`/${microStep}`))?.state;
  };

  for (const checkpoint of [8, 16]) {
    dataShard.validation.allow(0);
    await trainedTo(checkpoint + 2);
    await until(async () => (await stateOf(checkpoint)) === Evaluation_State.RUNNING, patience);
    await trainedTo(checkpoint + 5); // three steps more, while the evaluation waits for its first row
    assert.equal(await stateOf(checkpoint), Evaluation_State.RUNNING);

    dataShard.validation.allow(Number.POSITIVE_INFINITY);
    const inLedger = async () => {
      const { evaluations } = await reports.getReport({ name: `${name}/report` });
      return evaluations.find(({ microStep }) => Number(microStep) === checkpoint);
    };
    const { state, error } = await until(inLedger, patience);
    assert.equal(state, Evaluation_State.SUCCEEDED, error);
    const experiment = await trainer.getExperiment({ name });
    assert.equal(experiment.state, Experiment_State.RUNNING);
    const { checkpoints } = await trainer.listCheckpoints({ parent: name });
    assert.equal(Number(checkpoints.at(-1)?.microStep), checkpoint, "the next one is not there yet");
  }

  dataShard.training.allow(Number.POSITIVE_INFINITY);
  assert.equal((await ended(system, name)).state, Experiment_State.COMPLETED);
  assert.deepEqual((await finalReport(system, name)).gaps, []);
});
