/** What the evaluator does about checkpoints that cannot be measured, and about the death of its processes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { events } from "@pretrain/events";
import { type Evaluation, Evaluation_State as State } from "@pretrain/proto";
import { until } from "@pretrain/testing";
import { startEvaluator } from "./test-support/evaluator-process.ts";
import { startSystem } from "./test-support/running-system.ts";
import { checkpointWritten, tinyWeights, writeTinyCheckpoint } from "./test-support/tiny-experiment.ts";

test("what cannot be measured fails, says why, and holds no number", async (t) => {
  const { experiment, broker, ended } = await startSystem(t);
  const announce = async (weights: Map<string, Float32Array>, microStep: number) => {
    const sealed = await writeTinyCheckpoint(experiment, { weights, microStep });
    await broker.publish(events.checkpoint, checkpointWritten(sealed));
    return sealed;
  };
  const numbersOf = ({ validationLoss, inferenceLoss, perplexity, bitsPerByte, samples }: Evaluation) =>
    [validationLoss, inferenceLoss, perplexity, bitsPerByte, samples.length] as const;
  const none = [undefined, undefined, undefined, undefined, 0] as const;

  await t.test("weights that are not numbers", async () => {
    const weights = tinyWeights(1);
    weights.get("norm.weight")?.fill(Number.NaN);
    await announce(weights, 8);
    const evaluation = await ended("evaluations/tiny-8");
    assert.equal(evaluation.state, State.FAILED);
    assert.match(evaluation.error, /row 0: its loss is NaN/);
    assert.deepEqual(numbersOf(evaluation), none);
  });

  await t.test("a part that was damaged after it was sealed", async () => {
    const sealed = await writeTinyCheckpoint(experiment, { microStep: 16 });
    const part = sealed.manifest.parts.find(({ name }) => name === "model.safetensors")?.blob ?? "";
    const bytes = (await experiment.blobs.read(part)).slice();
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await experiment.blobs.put(part, bytes);
    await broker.publish(events.checkpoint, checkpointWritten(sealed));
    const evaluation = await ended("evaluations/tiny-16");
    assert.equal(evaluation.state, State.FAILED);
    assert.match(evaluation.error, /model\.safetensors: SHA-256/);
    assert.deepEqual(numbersOf(evaluation), none);
  });

  await t.test("a checkpoint whose recipe is gone", async () => {
    await experiment.blobs.delete("experiments/tiny/recipe.json");
    await announce(tinyWeights(1), 24);
    const evaluation = await ended("evaluations/tiny-24");
    assert.equal(evaluation.state, State.FAILED);
    assert.match(evaluation.error, /recipe/);
  });
});

test("killing the worker and the computing process costs nothing but time", async (t) => {
  const { experiment, broker, evaluator, ended, environment } = await startSystem(t);
  await broker.publish(events.checkpoint, checkpointWritten(await writeTinyCheckpoint(experiment)));
  const child = await until(() => evaluator.log.find(({ msg }) => msg === "computing process started"), {
    timeoutMs: 30_000,
  });
  process.kill(child.pid, "SIGKILL"); // the worker
  await until(() => !isAlive(Number(child["child"]))); // its computing process does not outlive it
  const first = await ended("evaluations/tiny-8");
  assert.equal(first.state, State.SUCCEEDED, first.error);
  assert.equal((await evaluator.client.listEvaluations({})).evaluations.length, 1);

  await t.test("an evaluator that was stopped with work in the queue does it after its start", async (inner) => {
    assert.equal(await evaluator.stop(), 0);
    await broker.publish(
      events.checkpoint,
      checkpointWritten(await writeTinyCheckpoint(experiment, { microStep: 16 })),
    );
    await startEvaluator(inner, environment);
    assert.equal((await ended("evaluations/tiny-16")).state, State.SUCCEEDED);
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
