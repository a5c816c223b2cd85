/** Pausing, resuming, withdrawing, and giving way, through the service's real processes: the numbers are those of an undisturbed run. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { listCheckpoints } from "@pretrain/checkpoint";
import { Aborted } from "@pretrain/errors";
import {
  type Experiment,
  Experiment_Priority as Priority,
  Experiment_Reason as Reason,
  Experiment_State as State,
} from "@pretrain/proto";
import { until } from "@pretrain/testing";
import {
  assertSame,
  patienceMs,
  reaches,
  release,
  resultOf,
  startAndHold,
  statesOf,
  undisturbedResult,
} from "./test-support/disturbed-run.ts";
import { startSystem, tinyRecipe } from "./test-support/running-trainer.ts";

test("a run is paused behind an optimizer step, or not after all, and its bits stay the same", async (t) => {
  const system = await startSystem(t);
  const trainer = await system.startTrainer();
  const { client } = trainer;
  const undisturbed = await undisturbedResult(system, trainer);

  await t.test(
    "a pause finishes the optimizer step, is reached when its checkpoint is durable, and is resumed",
    async () => {
      await startAndHold(system, trainer, "paused");
      const name = "experiments/paused";
      const asked = await client.pauseExperiment({ name });
      assert.deepEqual([asked.state, asked.pauseRequested], [State.RUNNING, true]);
      assert.equal((await client.pauseExperiment({ name })).pauseRequested, true);
      system.dataShard.lastMicroStep = 9; // 8 ends the optimizer step; 9 is not computed though its batch is there
      const paused = await reaches(trainer, "paused", State.PAUSED);
      assert.deepEqual(
        [paused.reason, paused.pauseRequested, paused.message],
        [Reason.USER, false, "paused by its user"],
      );
      assert.equal(paused.progress?.microStep, 8n);
      const { checkpoints } = await listCheckpoints(system.blobs, "paused");
      assert.equal(checkpoints.at(-1)?.manifest.microStep, 8);
      const resumed = await untilAccepted((etag) => client.resumeExperiment({ name, etag }), paused.etag);
      assert.equal(resumed.state, State.QUEUED);
      release(system);
      const result = await resultOf(system, trainer, "paused");
      assertSame(result, undisturbed);
      assert.deepEqual(statesOf(result.events), [
        "QUEUED",
        "PREPARING",
        "RUNNING",
        "PAUSED",
        "QUEUED",
        "PREPARING",
        "RUNNING",
        "COMPLETED",
      ]);
      const computed = result.events.flatMap((event) =>
        event.kind === "step" ? [Number(event.message.microStep)] : [],
      );
      assert.equal(new Set(computed).size, computed.length); // no step was computed twice
    },
  );

  await t.test("a pause that is withdrawn before it is reached is none; the run goes on at once", async () => {
    await startAndHold(system, trainer, "withdrawn");
    const name = "experiments/withdrawn";
    await client.pauseExperiment({ name });
    assert.equal((await client.resumeExperiment({ name })).pauseRequested, false);
    release(system);
    const result = await resultOf(system, trainer, "withdrawn");
    assertSame(result, undisturbed);
    assert.ok(!statesOf(result.events).includes("PAUSED"));
  });

  await t.test("what is paused can be cancelled, and a pause becomes a cancellation before it is reached", async () => {
    await startAndHold(system, trainer, "given-up");
    const name = "experiments/given-up";
    await client.pauseExperiment({ name });
    await client.cancelExperiment({ name }); // the worker waits for a batch that does not come: a cancellation needs none
    const cancelled = await trainer.ended(name);
    assert.deepEqual(
      [cancelled.state, cancelled.reason, cancelled.pauseRequested],
      [State.CANCELLED, Reason.USER, false],
    );
    await startAndHold(system, trainer, "given-up-later");
    await client.pauseExperiment({ name: "experiments/given-up-later" });
    system.dataShard.lastMicroStep = 8;
    await reaches(trainer, "given-up-later", State.PAUSED);
    assert.equal((await client.cancelExperiment({ name: "experiments/given-up-later" })).state, State.CANCELLED);
  });

  await t.test(
    "an experiment of a higher priority takes the worker behind the optimizer step; the other goes on later",
    async () => {
      await startAndHold(system, trainer, "low");
      const high = await client.startExperiment({ experimentId: "high", recipe: tinyRecipe, priority: Priority.HIGH });
      assert.equal(high.priority, Priority.HIGH);
      system.dataShard.lastMicroStep = 8;
      const preempted = await reaches(trainer, "low", State.INTERRUPTED);
      assert.equal(preempted.reason, Reason.PREEMPTED);
      await until(async () => (await client.getExperiment({ name: high.name })).progress?.microStep === 8n, {
        timeoutMs: patienceMs,
      });
      assert.equal((await client.getExperiment({ name: "experiments/low" })).state, State.INTERRUPTED); // it waits for the higher one
      release(system);
      assertSame(await resultOf(system, trainer, "high"), undisturbed);
      const result = await resultOf(system, trainer, "low");
      assertSame(result, undisturbed);
      const ended = (name: string) => trainer.client.getExperiment({ name: `experiments/${name}` });
      const [first, second] = await Promise.all([ended("high"), ended("low")]);
      assert.ok((first.endTime?.seconds ?? 0n) <= (second.endTime?.seconds ?? 0n));
    },
  );
});

/** As the answer to a stale etag says: read it again. The record changes once more when its transition is announced. */
async function untilAccepted(command: (etag: string) => Promise<Experiment>, etag: string): Promise<Experiment> {
  try {
    return await command(etag);
  } catch (error) {
    if (!(error instanceof Aborted) || error.metadata["current"] === undefined) throw error;
    return await untilAccepted(command, error.metadata["current"]);
  }
}
