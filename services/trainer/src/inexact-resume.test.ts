/** Going on elsewhere: where the bits of a step may be other ones, the run goes on, and its record says so. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { type TestContext, test } from "node:test";
import { listCheckpoints } from "@pretrain/checkpoint";
import { Experiment_State as State } from "@pretrain/proto";
import { until } from "@pretrain/testing";
import { eventsOf, startSystem, tinyRecipe, workersOf } from "./test-support/running-trainer.ts";
import { putTokenizer } from "./test-support/tiny-tokenizer.ts";

const patienceMs = 120_000;
const processors = availableParallelism();
const isOneProcessor = processors < 2 ? "a machine of one processor cannot give fewer" : false;
const noTaskset = spawnSync("taskset", ["--version"]).status === 0 ? false : "taskset is not installed";

/** Processes that this one starts from now on, until the test ends, have one processor. */
function oneProcessor(t: TestContext): void {
  const tell = (...parameters: string[]) => spawnSync("taskset", ["--pid", ...parameters, `${process.pid}`]).stdout;
  const before = /: ([0-9a-f]+)$/m.exec(String(tell()))?.[1] ?? "";
  t.after(() => void tell(before));
  tell("1");
}

test("an attempt with fewer threads than its checkpoint's goes on, warns, and names what differs", {
  skip: isOneProcessor || noTaskset,
}, async (t) => {
  const system = await startSystem(t);
  const trainer = await system.startTrainer();
  system.dataShard.lastMicroStep = 7;
  const { name } = await trainer.client.startExperiment({ experimentId: "moved", recipe: tinyRecipe });
  await until(async () => (await listCheckpoints(system.blobs, "moved")).checkpoints.length > 0, {
    timeoutMs: patienceMs,
  });
  const { holding, computing } = workersOf(trainer.pid);
  await trainer.kill();
  for (const pid of [...holding, ...computing]) process.kill(pid, "SIGKILL");

  oneProcessor(t);
  system.dataShard.lastMicroStep = Number.POSITIVE_INFINITY;
  const resumed = await system.startTrainer();
  const experiment = await resumed.ended(name);
  assert.equal(experiment.state, State.COMPLETED, experiment.message);
  const events = await eventsOf(system, name);
  const attempts = events.flatMap((event) => (event.kind === "attempt" ? [event.message] : []));
  const threads = (kind: string) => `${kind}_op_threads: ${processors}, now 1`;
  assert.deepEqual(
    attempts.map(({ inexact }) => inexact.filter((difference) => /threads/.test(difference))),
    [[], [threads("inter"), threads("intra")]],
  );
  const warnings = events.flatMap((event) => (event.kind === "log" ? [event.message.message] : []));
  assert.ok(warnings.some((line) => /^going on from a checkpoint is not exact here: .*intra_op_threads/.test(line)));

  await t.test(
    "a step that was computed with more threads says so when it is explained, one that was not says nothing",
    async () => {
      system.dataShard.tokenizer = await putTokenizer(system.blobs);
      const explained = (microStep: bigint) =>
        resumed.client.explainStep({ experiment: name, microStep }, { timeoutMs: patienceMs });
      const [before, behind] = [await explained(4n), await explained(8n)];
      const ofThreads = before.inexact.filter((difference) => /threads/.test(difference));
      assert.deepEqual([before.attempt, ofThreads], [1, [threads("inter"), threads("intra")]]);
      assert.deepEqual([behind.attempt, behind.inexact], [2, []]);
    },
  );
});
