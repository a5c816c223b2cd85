/** Dates that jump about, an hour ahead, an hour back and behind 2038, in every process of the trainer: nothing depends on them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { jumpingDateModule } from "@pretrain/testing";
import { assertSame, resultOf, statesOf, undisturbedResult } from "./test-support/disturbed-run.ts";
import { startSystem, tinyRecipe } from "./test-support/running-trainer.ts";

test("with dates that jump in the service, its worker and the process that computes, states and bits are the same", async (t) => {
  const system = await startSystem(t);
  const steady = await system.startTrainer();
  const undisturbed = await undisturbedResult(system, steady);
  await steady.stop();
  const trainer = await system.startTrainer({ NODE_OPTIONS: `--import=${jumpingDateModule}` });
  await trainer.client.startExperiment({ experimentId: "jumping", recipe: tinyRecipe });
  const jumping = await resultOf(system, trainer, "jumping");
  assertSame(jumping, undisturbed);
  assert.deepEqual(statesOf(jumping.events), statesOf(undisturbed.events));
  const ends = jumping.events.flatMap((event) =>
    event.kind === "step" && event.message.time ? [timestampMs(event.message.time)] : [],
  );
  assert.deepEqual(
    ends,
    ends.toSorted((a, b) => a - b),
    "steps end one after the other",
  );
  for (const event of jumping.events) {
    if (event.kind !== "phase" || !event.message.startTime || !event.message.endTime) continue;
    const ms = timestampMs(event.message.endTime) - timestampMs(event.message.startTime);
    assert.ok(ms >= 0 && ms < 30 * 60_000, `phase ${event.message.phase} took ${ms} ms`);
  }
});
