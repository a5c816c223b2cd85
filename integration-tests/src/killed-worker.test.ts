/** A crash is a normal event: a worker is killed in the middle, and the experiment ends as if nothing had happened. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Experiment_State, TrainerService } from "@pretrain/proto";
import { connectClient } from "@pretrain/rpc";
import { until } from "@pretrain/testing";
import { ended, finalReport, lossesOf, trained } from "./experiments.ts";
import { descendantsOf } from "./process-tree.ts";
import { startSystem } from "./system-under-test.ts";
import { tinyRecipe } from "./tiny-recipe.ts";

const recipe = { ...tinyRecipe, training: { ...tinyRecipe.training, epochs: 4 } };

test("killing every process of the trainer's worker costs nothing but time", async (t) => {
  const system = await startSystem(t);
  const undisturbed = await trained(system, "undisturbed", recipe);

  using trainer = connectClient(TrainerService, system.addresses.trainer);
  const { name } = await trainer.startExperiment({ experimentId: "killed", recipe });
  await until(async () => (await trainer.listCheckpoints({ parent: name })).checkpoints.length > 0, {
    timeoutMs: 60_000,
  });
  const workers = descendantsOf(system.processes.trainer.pid);
  assert.ok(workers.length >= 2, `${workers.length} worker processes`);
  for (const pid of workers) process.kill(pid, "SIGKILL");

  const experiment = await ended(system, name);
  assert.equal(experiment.state, Experiment_State.COMPLETED, experiment.message);
  assert.ok(experiment.attempt >= 2, `attempt ${experiment.attempt}`);
  const report = await finalReport(system, name);
  await finalReport(system, undisturbed.name);
  assert.deepEqual(report.gaps, []);
  assert.deepEqual(await lossesOf(system, name), await lossesOf(system, undisturbed.name));

  const weights = async (parent: string) => {
    const { checkpoints } = await trainer.listCheckpoints({ parent });
    return checkpoints.at(-1)?.parts.find((part) => part.name === "model.safetensors")?.sha256;
  };
  assert.equal(await weights(name), await weights(undisturbed.name));
});
