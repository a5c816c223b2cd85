/** One experiment and several workers: at most one advances it, whoever dies, sleeps or comes second. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { sha256Hex } from "@pretrain/blobs";
import { type Delivered, work } from "@pretrain/events";
import { TrainWorkSchema } from "@pretrain/proto";
import { until } from "@pretrain/testing";
import {
  assertSame,
  patienceMs,
  release,
  resultOf,
  startAndHold,
  statesOf,
  undisturbedResult,
} from "./test-support/disturbed-run.ts";
import {
  eventsOf,
  type System,
  startSystem,
  type Trainer,
  tinyRecipe,
  workersOf,
} from "./test-support/running-trainer.ts";

const shortLease = { PRETRAIN_LEASE_TTL_MS: "2000" };

/** A trainer on another machine: the same broker and blobs, a folder of its own. */
function startOther(system: System, environment: Readonly<Record<string, string>>): Promise<Trainer> {
  return system.startTrainer({ ...environment, PRETRAIN_STATE: join(system.folder, "state-of-the-other") });
}

function signal({ pid }: Trainer, name: NodeJS.Signals): void {
  const { holding, computing } = workersOf(pid);
  for (const each of [...holding, ...computing]) process.kill(each, name);
}

/** Every blob of an experiment with its digest, but for what its second attempt holds only while it reads it. */
async function blobsOf({ blobs }: System, id: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const { key } of blobs.list(`experiments/${id}/`)) {
    if (!key.includes("/holds/attempt-2-")) found[key] = sha256Hex(await blobs.read(key));
  }
  return found;
}

function ofAttempt(events: readonly Delivered[], attempt: number): string[] {
  return events.flatMap(({ message }) =>
    "attempt" in message && message.attempt === attempt
      ? [JSON.stringify(message, (_, v) => (typeof v === "bigint" ? `${v}` : v))]
      : [],
  );
}

/** Resolves when the other's attempt has computed up to where the first one was held. */
async function hasTakenOver({ client }: Trainer, name: string): Promise<void> {
  const isThere = async () => {
    const { attempt, progress } = await client.getExperiment({ name });
    return attempt === 2 && progress?.microStep === 7n;
  };
  await until(isThere, { timeoutMs: patienceMs });
}

function hasStopped({ log }: Trainer): boolean {
  return log.some(({ msg }) => msg === "another attempt holds the experiment; this one stops");
}

test("a worker that was stopped for longer than its lease lives changes nothing any more when it goes on", async (t) => {
  const system = await startSystem(t);
  const sleeper = await system.startTrainer(shortLease);
  const undisturbed = await undisturbedResult(system, sleeper);
  const name = "experiments/slept";
  await startAndHold(system, sleeper, "slept");
  const isTold = async (attempt: number) =>
    (await eventsOf(system, name)).some(
      ({ kind, message }) => kind === "step" && message.microStep === 7n && message.attempt === attempt,
    );
  await until(() => isTold(1), { timeoutMs: patienceMs });
  const before = ofAttempt(await eventsOf(system, name), 1);
  signal(sleeper, "SIGSTOP");
  const other = await startOther(system, shortLease);
  await hasTakenOver(other, name);

  await t.test("while nothing else happens: no event, no record, no blob", async () => {
    await until(() => isTold(2), { timeoutMs: patienceMs }); // its last event until it gets another batch
    const [blobs, events, { etag }] = [
      await blobsOf(system, "slept"),
      await eventsOf(system, name),
      await other.client.getExperiment({ name }),
    ];
    signal(sleeper, "SIGCONT");
    await until(() => hasStopped(sleeper), { timeoutMs: patienceMs });
    assert.deepEqual(await blobsOf(system, "slept"), blobs);
    assert.equal((await eventsOf(system, name)).length, events.length);
    assert.equal((await other.client.getExperiment({ name })).etag, etag);
  });

  await t.test(
    "the other one ends with the numbers of an undisturbed run, and the first one's events are what they were",
    async () => {
      release(system);
      const result = await resultOf(system, other, "slept");
      assertSame(result, undisturbed);
      assert.equal(result.experiment.attempt, 2);
      assert.deepEqual(ofAttempt(result.events, 1), before.concat(interruption(result.events)));
    },
  );
});

/** What the second attempt says of the first one's end carries the first one's number. */
function interruption(events: readonly Delivered[]): string[] {
  const [first, ...others] = events.flatMap((event) =>
    event.kind === "state" && event.message.message.includes("let its lease run out") ? ofAttempt([event], 1) : [],
  );
  assert.ok(first !== undefined && others.length === 0);
  return [first];
}

test("a worker that wakes up into a stream of batches computes none of them", async (t) => {
  const system = await startSystem(t);
  const sleeper = await system.startTrainer(shortLease);
  const undisturbed = await undisturbedResult(system, sleeper);
  await startAndHold(system, sleeper, "woken");
  signal(sleeper, "SIGSTOP");
  const other = await startOther(system, shortLease);
  await hasTakenOver(other, "experiments/woken");
  const before = await blobsOf(system, "woken");
  release(system);
  signal(sleeper, "SIGCONT");
  const result = await resultOf(system, other, "woken");
  await until(() => hasStopped(sleeper), { timeoutMs: patienceMs });
  assertSame(result, undisturbed);
  const steps = (await eventsOf(system, "experiments/woken")).flatMap((event) =>
    event.kind === "step" && event.message.attempt === 1 ? [Number(event.message.microStep)] : [],
  );
  assert.deepEqual(steps, [1, 2, 3, 4, 5, 6, 7]);
  const written = Object.keys(await blobsOf(system, "woken")).filter((key) => before[key] === undefined);
  assert.deepEqual(
    written.filter((key) => key.endsWith("/1.manifest.json")),
    [],
  );
});

test("two workers that are handed the same experiment at once: one takes it, the other one lets it be", async (t) => {
  const system = await startSystem(t);
  const [one, two] = await Promise.all([system.startTrainer(shortLease), startOther(system, shortLease)]);
  system.dataShard.lastMicroStep = 7;
  for (const id of ["warm-up", "raced"]) {
    const { name } = await one.client.startExperiment({ experimentId: id, recipe: tinyRecipe });
    await system.broker.enqueue(work.train, create(TrainWorkSchema, { experiment: name }), `${id}/again`);
    const isHeld = async () => (await one.client.getExperiment({ name })).progress?.microStep === 7n;
    await until(isHeld, { timeoutMs: patienceMs });
  }
  release(system);
  for (const id of ["warm-up", "raced"]) {
    const { experiment, events } = await resultOf(system, two, id);
    assert.equal(experiment.attempt, 1, experiment.message);
    assert.deepEqual(statesOf(events), ["QUEUED", "PREPARING", "RUNNING", "COMPLETED"]);
  }
});

test("when both processes of a worker die, the first new step comes soon behind the end of its lease", async (t) => {
  const system = await startSystem(t);
  const trainer = await system.startTrainer({ PRETRAIN_LEASE_TTL_MS: "5000" });
  const undisturbed = await undisturbedResult(system, trainer);
  await startAndHold(system, trainer, "killed");
  const killed = performance.now();
  signal(trainer, "SIGKILL");
  release(system);
  const patience = AbortSignal.timeout(patienceMs);
  const options = { experiment: "experiments/killed", kinds: ["step"], from: "all" } as const;
  for await (const { message } of system.broker.follow(options, patience)) if (message.attempt === 2) break;
  t.diagnostic(
    `${((performance.now() - killed) / 1000).toFixed(1)} s from the death to the first new step; the lease lives 5 s`,
  );
  assertSame(await resultOf(system, trainer, "killed"), undisturbed);
});
