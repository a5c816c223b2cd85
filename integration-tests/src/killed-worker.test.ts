/** A crash is a normal event: a worker is killed in the middle, and the experiment ends as if nothing had happened. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Experiment_State, TrainerService } from "@pretrain/proto";
import { connectClient } from "@pretrain/rpc";
import { decodeSafetensors } from "@pretrain/safetensors";
import { until } from "@pretrain/testing";
import { ended, finalReport, lossesOf, trained } from "./experiments.ts";
import { descendantsOf } from "./process-tree.ts";
import { type SystemUnderTest, startSystem } from "./system-under-test.ts";
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
  const { interruptions = 0, unequalRepetitions, missingMicroSteps } = report.continuity ?? {};
  assert.ok(interruptions >= 1, `${interruptions} interruptions`);
  assert.deepEqual([unequalRepetitions, missingMicroSteps], [0n, 0n]); // what was computed again is the same, to the last bit
  assert.deepEqual(await lossesOf(system, name), await lossesOf(system, undisturbed.name));

  assert.deepEqual(await weightsOf(system, name), await weightsOf(system, undisturbed.name), "bit for bit");
});

/** The weights of the last checkpoint, by name. */
async function weightsOf(system: SystemUnderTest, parent: string): Promise<Map<string, Buffer>> {
  using trainer = connectClient(TrainerService, system.addresses.trainer);
  const { checkpoints } = await trainer.listCheckpoints({ parent });
  const part = checkpoints.at(-1)?.parts.find((candidate) => candidate.name === "model.safetensors");
  const bytes = await readFile(join(fileURLToPath(system.blobsUrl), part?.blob ?? ""));
  const { tensors } = decodeSafetensors(bytes, "model.safetensors");
  return new Map(
    [...tensors].map(([name, { data }]) => [name, Buffer.from(data.buffer, data.byteOffset, data.byteLength)]),
  );
}
