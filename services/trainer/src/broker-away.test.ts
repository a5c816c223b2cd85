/**
 * The broker away for long while a run goes on: no step waits for it, and none is missing afterwards. Batches are handed out by the
 * clock, ten a second; `PRETRAIN_BROKER_AWAY_SECONDS=300` is the long form, and tells its figures like the short one.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { Experiment_State as State, type StepMetric } from "@pretrain/proto";
import { until } from "@pretrain/testing";
import { hasCheckpoint, patienceMs, release } from "./test-support/disturbed-run.ts";
import { eventsOf, startSystem, tinyRecipe } from "./test-support/running-trainer.ts";

const awaySeconds = Number(process.env["PRETRAIN_BROKER_AWAY_SECONDS"] ?? 20);
const stepsPerSecond = 10;
const stepsPerEpoch = 5;
const before = 40;
const away = awaySeconds * stepsPerSecond;
const total = before + away + 40;
const training = { ...tinyRecipe.training, epochs: total / stepsPerEpoch, saveInterval: 20 };

/** What a step took beside the wait for its batch, in milliseconds. */
function ownMs({ times }: StepMetric): number {
  return (times?.totalMs ?? 0) - (times?.dataMs ?? 0);
}

function figures(steps: readonly StepMetric[]): string {
  const sorted = steps.map(ownMs).sort((a, b) => a - b);
  const at = (share: number) => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(1);
  return `${sorted.length} steps, p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, longest ${at(1)} ms`;
}

test(`the broker away for ${awaySeconds} s: ${away} steps are done meanwhile, and every one is heard of afterwards`, async (t) => {
  const system = await startSystem(t);
  const trainer = await system.startTrainer({ PRETRAIN_LEASE_TTL_MS: "3000" }); // it ends while nobody can renew it
  system.dataShard.lastMicroStep = before;
  const { name } = await trainer.client.startExperiment({ experimentId: "away", recipe: { ...tinyRecipe, training } });
  await until(async () => (await trainer.client.getExperiment({ name })).progress?.microStep === BigInt(before), {
    timeoutMs: patienceMs,
  });

  process.kill(system.server.pid, "SIGSTOP");
  const stoppedMs = performance.now();
  for (let fed = 0; fed < away; fed = Math.min(away, ((performance.now() - stoppedMs) / 1000) * stepsPerSecond)) {
    system.dataShard.lastMicroStep = before + Math.floor(fed);
    await pause(1000 / stepsPerSecond);
  }
  system.dataShard.lastMicroStep = before + away;
  await hasCheckpoint(system, "away", before + away); // done, and kept, while nobody could hear of it
  process.kill(system.server.pid, "SIGCONT");

  release(system);
  assert.equal((await trainer.ended(name)).state, State.COMPLETED);
  const events = await eventsOf(system, name);
  const steps = events.flatMap((event) => (event.kind === "step" ? [event.message] : []));
  const once = [...new Map(steps.map((step) => [Number(step.microStep), step])).values()];
  assert.deepEqual(
    once.map(({ microStep }) => Number(microStep)).sort((a, b) => a - b),
    Array.from({ length: total }, (_, index) => index + 1),
  );
  assert.deepEqual(new Set(steps.map(({ attempt }) => attempt)), new Set([1]));
  const between = (from: number, to: number) =>
    once.filter(({ microStep }) => Number(microStep) > from && Number(microStep) <= to);
  t.diagnostic(`before: ${figures(between(10, before))}`); // the first ones trace
  t.diagnostic(`away:   ${figures(between(before, before + away))}`);
  t.diagnostic(`${total - once.length} lost, ${steps.length - once.length} stored twice`);
});
