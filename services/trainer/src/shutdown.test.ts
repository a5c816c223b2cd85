/** A worker that is asked to end, however often and however rudely: nothing is lost, and it ends in time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Experiment_Reason as Reason, Experiment_State as State } from "@pretrain/proto";
import { until } from "@pretrain/testing";
import {
  assertSame,
  patienceMs,
  type Result,
  release,
  resultOf,
  startAndHold,
  undisturbedResult,
} from "./test-support/disturbed-run.ts";
import { startSystem, workersOf } from "./test-support/running-trainer.ts";

/** Why and in which words, for each interruption. */
function interruptions({ events }: Result): (readonly [Reason, string])[] {
  return events.flatMap((event) =>
    event.kind === "state" && event.message.to === State.INTERRUPTED
      ? [[event.message.reason, event.message.message] as const]
      : [],
  );
}

test("however a worker is asked to end, the experiment goes on with the same bits", async (t) => {
  const system = await startSystem(t);
  const grace = { PRETRAIN_GRACE_MS: "8000", PRETRAIN_LEASE_TTL_MS: "2000" };
  let trainer = await system.startTrainer(grace);
  const undisturbed = await undisturbedResult(system, trainer);

  await t.test(
    "a step that takes longer than there is time is given up, and the piece of work handed back",
    async () => {
      await startAndHold(system, trainer, "long-step");
      assert.equal(await trainer.stop(), 0); // the batch of the step never comes
      release(system);
      trainer = await system.startTrainer(grace);
      const result = await resultOf(system, trainer, "long-step");
      assertSame(result, undisturbed);
      const [given, ...others] = interruptions(result);
      assert.equal(given?.[0], Reason.SHUTDOWN);
      assert.match(given?.[1] ?? "", /^its worker was asked to stop and had no time to finish its step; /);
      assert.deepEqual(others, []);
    },
  );

  await t.test("SIGTERM twice ends the service at once; the next one takes over", async () => {
    await startAndHold(system, trainer, "twice");
    process.kill(trainer.pid, "SIGTERM");
    await until(() => trainer.log.some(({ msg, service }) => msg === "draining" && service === "trainer"), {
      timeoutMs: patienceMs,
    });
    await trainer.stop();
    release(system);
    trainer = await system.startTrainer(grace);
    assertSame(await resultOf(system, trainer, "twice"), undisturbed);
  });

  await t.test("SIGTERM and then SIGKILL of both processes of a worker: the service starts another one", async () => {
    await startAndHold(system, trainer, "rudely");
    const { holding, computing } = workersOf(trainer.pid);
    for (const pid of holding) process.kill(pid, "SIGTERM");
    await until(() => trainer.log.some(({ msg, pid }) => msg === "draining" && holding.includes(pid)), {
      timeoutMs: patienceMs,
    });
    for (const pid of [...holding, ...computing]) process.kill(pid, "SIGKILL");
    release(system);
    const result = await resultOf(system, trainer, "rudely");
    assertSame(result, undisturbed);
    const [lost, ...others] = interruptions(result);
    assert.equal(lost?.[0], Reason.LEASE_LOST);
    assert.match(lost?.[1] ?? "", /^attempt 1 let its lease run out/);
    assert.deepEqual(others, []);
  });
});
