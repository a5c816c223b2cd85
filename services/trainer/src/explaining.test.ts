/** Past steps computed again through the service's real processes: the numbers are those of the run, to the last bit. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { getPriority } from "node:os";
import { test } from "node:test";
import { checkpointHolders, listCheckpoints } from "@pretrain/checkpoint";
import { FailedPrecondition, NotFound, ResourceExhausted, Unavailable } from "@pretrain/errors";
import { Experiment_State as State, type StepExplanation, type StepMetric } from "@pretrain/proto";
import { until } from "@pretrain/testing";
import { garbageRow } from "./test-support/fake-data-shard.ts";
import {
  eventsOf,
  type System,
  startSystem,
  type Trainer,
  tinyRecipe,
  workersOf,
} from "./test-support/running-trainer.ts";
import { putTokenizer } from "./test-support/tiny-tokenizer.ts";

/** A busy machine takes long to load and to trace; nothing here depends on how long. */
const timeoutMs = 240_000;

/** The steps that count, by micro-step: of each the highest attempt's. */
async function stepsOf(system: System, name: string): Promise<ReadonlyMap<number, StepMetric>> {
  const steps = (await eventsOf(system, name)).flatMap((event) => (event.kind === "step" ? [event.message] : []));
  return new Map(steps.sort((a, b) => a.attempt - b.attempt).map((step) => [Number(step.microStep), step]));
}

function explain({ client }: Trainer, experiment: string, microStep: number): Promise<StepExplanation> {
  return client.explainStep({ experiment, microStep: BigInt(microStep) }, { timeoutMs });
}

function assertSame(found: StepExplanation, logged: ReadonlyMap<number, StepMetric>): void {
  const step = logged.get(Number(found.microStep)) ?? assert.fail(`${found.microStep} was not logged`);
  const facts = (of: StepExplanation | StepMetric) =>
    [of.microStep, of.attempt, of.optimizerStep, of.epoch, of.lossNats, of.lossTokens, of.learningRate] as const;
  assert.deepEqual(facts(found), facts(step));
  const end = logged.get(Number(found.optimizerMicroStep));
  assert.deepEqual([found.gradientNorm, found.clipScale], [end?.gradientNorm, end?.clipScale]);
  assert.deepEqual(found.inexact, []);
}

test("past steps are explained", async (t) => {
  const system = await startSystem(t);
  system.dataShard.tokenizer = await putTokenizer(system.blobs);
  const trainer = await system.startTrainer();
  const name = "experiments/whole";
  await trainer.client.startExperiment({ experimentId: "whole", recipe: tinyRecipe });
  assert.equal((await trainer.ended(name)).state, State.COMPLETED);
  const logged = await stepsOf(system, name);

  for (const [claim, microStep, checkpoint, replayed, end] of [
    ["before the first checkpoint it is computed from the seed", 3, "", 3, 4],
    ["an accumulation that goes over an epoch's end is computed whole", 5, `${name}/checkpoints/4`, 1, 6],
    ["the second half of one is computed from its beginning", 6, `${name}/checkpoints/4`, 2, 6],
    ["what the run's end left of an accumulation has no norm", 15, `${name}/checkpoints/12`, 3, 0],
  ] as const) {
    await t.test(claim, async () => {
      const found = await explain(trainer, name, microStep);
      assertSame(found, logged);
      const { replayedMicroSteps, optimizerMicroStep } = found;
      assert.deepEqual(
        [found.checkpoint, Number(replayedMicroSteps), Number(optimizerMicroStep)],
        [checkpoint, replayed, end],
      );
    });
  }

  await t.test(
    "its rows are those of the batch, the one that is unlike the others first, and their losses its loss",
    async () => {
      const microStep = 11; // in the third epoch: the others are learned by then
      const { rows, lossNats } = await explain(trainer, name, microStep);
      assert.deepEqual(
        rows.map(({ rowId }) => Number(rowId)).sort((a, b) => a - b),
        Array.from({ length: 8 }, (_, place) => (5 * place + 3 + 5) % 37).sort((a, b) => a - b), // seed 5
      );
      assert.equal(Number(rows[0]?.rowId), garbageRow);
      const perToken = rows.map((row) => row.lossNats / Number(row.lossTokens));
      assert.deepEqual(
        perToken,
        perToken.toSorted((a, b) => b - a),
      );
      assert.ok((perToken[0] ?? 0) > 0.5 + (perToken[1] ?? 0), perToken.join(" "));
      const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
      const total = sum(rows.map((row) => row.lossNats));
      assert.ok(Math.abs(total - lossNats) <= 2e-6 * lossNats, `${total}, ${lossNats}`); // float32 sums some 60 losses
      assert.ok(Math.abs(sum(rows.map((row) => row.lossShare)) - 1) < 1e-12);
      for (const row of rows) {
        assert.equal(row.tokens.length, Number(row.lossTokens));
        assert.equal(sum(row.tokens.map(({ nats }) => nats)), row.lossNats);
        assert.ok((row.gradientNorm ?? 0) > 0);
      }
    },
  );

  await t.test("a fork's step before its own first checkpoint is computed from its parent's", async () => {
    const checkpoint = `${name}/checkpoints/8`;
    const recipe = { training: { learningRate: 1e-3, epochs: 4 } };
    const fork = await trainer.client.forkExperiment({ checkpoint, experimentId: "fork", recipe });
    assert.equal((await trainer.ended(fork.name)).state, State.COMPLETED);
    const found = await explain(trainer, fork.name, 11);
    assertSame(found, await stepsOf(system, fork.name));
    assert.equal(found.checkpoint, checkpoint);
    await assert.rejects(explain(trainer, fork.name, 8), (error) => {
      return error instanceof NotFound && /experiments\/whole, which computed 8; ask for it there/.test(error.message);
    });
  });

  await t.test("behind an interruption the step that counts is explained, and which attempt computed it", async () => {
    system.dataShard.lastMicroStep = 7;
    const { name: interrupted } = await trainer.client.startExperiment({ experimentId: "again", recipe: tinyRecipe });
    const isHeld = async () => (await trainer.client.getExperiment({ name: interrupted })).progress?.microStep === 7n;
    const hasCheckpoint = async () => (await listCheckpoints(system.blobs, "again")).checkpoints.length > 0;
    await until(async () => (await isHeld()) && (await hasCheckpoint()), { timeoutMs });
    const atFirst = await explain(trainer, interrupted, 6); // while it trains
    for (const pid of workersOf(trainer.pid).computing) process.kill(pid, "SIGKILL");
    system.dataShard.lastMicroStep = Number.POSITIVE_INFINITY;
    assert.equal((await trainer.ended(interrupted)).state, State.COMPLETED);
    const found = await explain(trainer, interrupted, 6);
    assertSame(found, await stepsOf(system, interrupted));
    assert.deepEqual([atFirst.attempt, found.attempt], [1, 2]);
    assert.deepEqual([atFirst.lossNats, atFirst.gradientNorm], [found.lossNats, found.gradientNorm]);
    assert.equal((await explain(trainer, interrupted, 3)).attempt, 1);
  });

  await t.test("a damaged checkpoint is passed over for the one before it", async () => {
    const { checkpoints } = await listCheckpoints(system.blobs, "whole");
    const eighth = checkpoints.find(({ manifest }) => manifest.microStep === 8);
    const { blob = "" } = eighth?.manifest.parts[1] ?? {};
    const bytes = Buffer.from(await system.blobs.read(blob));
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
    await system.blobs.put(blob, bytes);
    const found = await explain(trainer, name, 10);
    assertSame(found, logged);
    assert.deepEqual([found.checkpoint, Number(found.replayedMicroSteps)], [`${name}/checkpoints/4`, 6]);
  });

  await t.test("what is not there is refused by name", async () => {
    await assert.rejects(explain(trainer, "experiments/none", 1), NotFound);
    await assert.rejects(explain(trainer, name, 16), (error) => {
      return error instanceof NotFound && error.reason === "STEP_NOT_COMPUTED" && error.metadata["last"] === "15";
    });
  });

  await t.test(
    "one at a time: others wait, too many are sent away, and who goes away is worked for no more",
    async () => {
      system.dataShard.lastMicroStep = 0; // every explanation waits for its batches
      const gone = new AbortController();
      const options = { signal: gone.signal, timeoutMs };
      const ask = () => trainer.client.explainStep({ experiment: name, microStep: 1n }, options);
      const asked = Array.from({ length: 6 }, () => ask().catch((error: unknown) => error));
      assert.ok((await Promise.race(asked)) instanceof ResourceExhausted); // one works, four wait
      gone.abort();
      assert.ok((await Promise.all(asked)).every((answer) => answer instanceof Error));
      system.dataShard.lastMicroStep = Number.POSITIVE_INFINITY;
      assertSame(await explain(trainer, name, 1), logged);
    },
  );

  await t.test("a process that dies is told of, and the next one answers", async () => {
    system.dataShard.lastMicroStep = 0;
    const answer = explain(trainer, name, 2);
    await until(() => replaying(trainer).length > 0, { timeoutMs });
    for (const pid of replaying(trainer)) process.kill(pid, "SIGKILL");
    await assert.rejects(answer, (error) => {
      return error instanceof Unavailable && /ended by SIGKILL; nothing was changed; ask again/.test(error.message);
    });
    system.dataShard.lastMicroStep = Number.POSITIVE_INFINITY;
    assertSame(await explain(trainer, name, 2), logged);
  });

  await t.test(
    "the process leaves processors and memory to others; SIGTERM of the service ends it at once",
    async () => {
      system.dataShard.lastMicroStep = 0;
      const another = await system.startTrainer({ PRETRAIN_EXPLANATION_NICENESS: "13" });
      const answer = explain(another, name, 2);
      answer.catch(() => undefined);
      await until(() => replaying(another).some((pid) => getPriority(pid) === 13), { timeoutMs });
      const processes = replaying(another);
      const isExpendable = (pid: number) => readFileSync(`/proc/${pid}/oom_score_adj`, "utf8") === "500\n";
      await until(() => processes.every(isExpendable), { timeoutMs });
      assert.equal(await another.stop(), 0);
      await assert.rejects(answer, Unavailable);
      assert.deepEqual(processes.filter(isThere), []);
      system.dataShard.lastMicroStep = Number.POSITIVE_INFINITY;
    },
  );

  await t.test("nothing is left held, whatever came of it", async () => {
    for (const microStep of [4, 8, 12]) {
      const holders = await checkpointHolders(system.blobs, { experiment: "whole", microStep });
      assert.deepEqual(
        holders.filter((holder) => holder.startsWith("explanation")),
        [],
      );
    }
  });

  await t.test("where neither a checkpoint nor a beginning is left, it is refused with what was tried", async () => {
    for await (const { key } of system.blobs.list(`${name}/checkpoints/8/`)) await system.blobs.delete(key);
    await assert.rejects(explain(trainer, "experiments/fork", 11), (error) => {
      return error instanceof FailedPrecondition && /no checkpoint before micro-step 11 is left/.test(error.message);
    });
  });
});

/** The processes that compute below the service itself; a worker's are below the worker. */
function replaying(trainer: Trainer): number[] {
  return workersOf(trainer.pid).holding.filter((pid) => commandOf(pid).includes("/worker/main.ts"));
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return ""; // it has ended since
  }
}

function isThere(pid: number): boolean {
  return commandOf(pid) !== "";
}
