/** A fork through the whole system: its record begins where its parent's checkpoint stands, and says what was changed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Experiment_State, ReportService, TrainerService } from "@pretrain/proto";
import { connectClient } from "@pretrain/rpc";
import { ended, finalReport, trained } from "./experiments.ts";
import { startSystem } from "./system-under-test.ts";
import { tinyRecipe } from "./tiny-recipe.ts";

test("a fork's record has no gaps, counts its own steps, and names parent, digest and difference", async (t) => {
  const system = await startSystem(t);
  const parent = await trained(system, "parent", tinyRecipe);
  assert.equal(parent.state, Experiment_State.COMPLETED, parent.message);
  using trainer = connectClient(TrainerService, system.addresses.trainer);
  const { checkpoints } = await trainer.listCheckpoints({ parent: parent.name });
  const origin = checkpoints.find(({ microStep }) => microStep === 8n);
  assert.ok(origin);
  const { name } = await trainer.forkExperiment({
    checkpoint: origin.name,
    experimentId: "fork",
    recipe: { training: { learningRate: 1e-3 } },
  });
  const fork = await ended(system, name);
  assert.equal(fork.state, Experiment_State.COMPLETED, fork.message);
  const report = await finalReport(system, name);
  assert.deepEqual(report.gaps, []);
  assert.equal(report.execution?.attempts[0]?.resumedFromMicroStep, 8n);
  assert.equal(report.training?.microSteps, (fork.progress?.totalMicroSteps ?? 0n) - 8n);
  assert.deepEqual([report.origin?.checkpoint, report.origin?.manifestSha256], [origin.name, origin.manifestSha256]);
  assert.ok(report.checkpoints.every(({ microStep }) => microStep > 8n)); // its parent's is not its own
  assert.equal(report.evaluations.length, report.checkpoints.length);
  using reports = connectClient(ReportService, system.addresses.report);
  const { document } = await reports.renderReport({ name: `${name}/report`, format: 1 });
  assert.match(document, /training\.learning_rate.*0\.005.*0\.001/);
});
