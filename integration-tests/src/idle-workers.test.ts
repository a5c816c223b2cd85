/** Workers are there while there is work: none is kept when the queue is empty, and one comes back for the next piece. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Experiment_State } from "@pretrain/proto";
import { until } from "@pretrain/testing";
import { finalReport, trained } from "./experiments.ts";
import { descendantsOf } from "./process-tree.ts";
import { startSystem } from "./system-under-test.ts";
import { tinyRecipe } from "./tiny-recipe.ts";

test("idle workers go, and come back for the next experiment", async (t) => {
  const system = await startSystem(t, { PRETRAIN_WORKER_IDLE_MS: "300" });
  for (const id of ["first", "second"]) {
    const experiment = await trained(system, id, tinyRecipe);
    assert.equal(experiment.state, Experiment_State.COMPLETED, experiment.message);
    await finalReport(system, experiment.name);
    for (const service of ["trainer", "evaluator"] as const) {
      const isAlone = () => descendantsOf(system.processes[service].pid).length === 0;
      await until(isAlone, { timeoutMs: 30_000 });
    }
  }
});
