/**
 * What a native library can do to the process that computes: it costs one attempt, the next one ends with the same bits, and the service
 * answers all the while.
 */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { listCheckpoints } from "@pretrain/checkpoint";
import { type Experiment, Experiment_State as State } from "@pretrain/proto";
import { until } from "@pretrain/testing";
import {
  eventsOf,
  type System,
  startSystem,
  type Trainer,
  tinyRecipe,
  workersOf,
} from "./test-support/running-trainer.ts";

/** A busy machine takes long to load and to trace; nothing here depends on how long. */
const patienceMs = 120_000;
const noPrlimit = spawnSync("prlimit", ["--version"]).status === 0 ? false : "prlimit is not installed";

async function lastWeights({ blobs }: System, id: string): Promise<string | undefined> {
  const { checkpoints } = await listCheckpoints(blobs, id);
  return checkpoints.at(-1)?.manifest.parts.find(({ name }) => name === "model.safetensors")?.sha256;
}

/** Starts an experiment and resolves when it waits for the batch of micro-step 8. */
async function startAndHold({ dataShard }: System, { client }: Trainer, id: string): Promise<void> {
  dataShard.lastMicroStep = 7;
  const { name } = await client.startExperiment({ experimentId: id, recipe: tinyRecipe });
  const waits = async () => (await client.getExperiment({ name })).progress?.microStep === 7n;
  await until(waits, { timeoutMs: patienceMs });
}

function computingProcess({ pid }: Trainer): number {
  const [computing, ...others] = workersOf(pid).computing;
  assert.ok(computing !== undefined && others.length === 0);
  return computing;
}

/** Asks for the experiment until it has ended; an answer that does not come fails the test. */
async function endedWhileAsked(
  { client }: Trainer,
  name: string,
): Promise<{ experiment: Experiment; slowestMs: number }> {
  let slowestMs = 0;
  const experiment = await until(
    async () => {
      const asked = performance.now();
      const found = await client.getExperiment({ name }, { signal: AbortSignal.timeout(10_000) }).catch(assert.ifError);
      slowestMs = Math.max(slowestMs, performance.now() - asked);
      return found !== undefined && (found.state === State.COMPLETED || found.state === State.FAILED) && found;
    },
    { timeoutMs: patienceMs },
  );
  return { experiment, slowestMs };
}

test("trouble of the process that computes costs one attempt, and the service answers throughout", async (t) => {
  const system = await startSystem(t);
  const trainer = await system.startTrainer();
  const { name } = await trainer.client.startExperiment({ experimentId: "undisturbed", recipe: tinyRecipe });
  await trainer.ended(name);
  const undisturbed = await lastWeights(system, "undisturbed");

  for (const [signal, words] of [
    ["SIGSEGV", /^the computing process was ended by SIGSEGV$/],
    ["SIGABRT", /^the computing process was ended by SIGABRT$/],
    ["SIGSTOP", /^the computing process was silent for \d\d s and was ended$/], // it waits for ever: found by its silence
  ] as const) {
    await t.test(signal, async (st) => {
      await startAndHold(system, trainer, signal.toLowerCase());
      process.kill(computingProcess(trainer), signal);
      system.dataShard.lastMicroStep = Number.POSITIVE_INFINITY;
      await assertOneAttemptLost(signal.toLowerCase(), words, st.diagnostic.bind(st));
    });
  }

  await t.test("no more memory when its model is built", { skip: noPrlimit }, async (st) => {
    system.dataShard.holdsDatasets = true;
    await trainer.client.startExperiment({ experimentId: "no-memory", recipe: tinyRecipe });
    const pid = await until(() => workersOf(trainer.pid).computing[0], { timeoutMs: patienceMs });
    const isLoaded = async () =>
      (await eventsOf(system, "experiments/no-memory")).some(
        (event) => event.kind === "phase" && event.message.phase === "environment",
      );
    await until(isLoaded, { timeoutMs: patienceMs });
    const [, usedKib] = /^VmSize:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    execFileSync("prlimit", [`--pid=${pid}`, `--as=${Number(usedKib) * 1024}`]);
    system.dataShard.holdsDatasets = false;
    await assertOneAttemptLost(
      "no-memory",
      /^the computing process ended|was ended by SIG|memory/,
      st.diagnostic.bind(st),
    );
  });

  async function assertOneAttemptLost(id: string, words: RegExp, tell: (line: string) => void): Promise<void> {
    const { experiment, slowestMs } = await endedWhileAsked(trainer, `experiments/${id}`);
    tell(`slowest answer ${slowestMs.toFixed(0)} ms`);
    assert.equal(experiment.state, State.COMPLETED, experiment.message);
    assert.equal(experiment.attempt, 2);
    assert.equal(await lastWeights(system, id), undisturbed);
    const said = (await eventsOf(system, experiment.name)).flatMap((event) =>
      event.kind === "state" && event.message.attempt === 1 ? [event.message.message] : [],
    );
    assert.ok(
      said.some((message) => words.test(message)),
      said.join("\n"),
    );
  }
});
