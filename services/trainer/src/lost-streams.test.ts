/** Somebody deletes everything that the broker holds while an experiment trains: nothing that was acknowledged is lost. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { listCheckpoints } from "@pretrain/checkpoint";
import { AlreadyExists, Unavailable } from "@pretrain/errors";
import { type Experiment, Experiment_State as State } from "@pretrain/proto";
import { until } from "@pretrain/testing";
import { type System, startSystem, tinyRecipe } from "./test-support/running-trainer.ts";

/** A busy machine takes long to load and to trace; nothing here depends on how long. */
const patience = { timeoutMs: 180_000 };

async function deleteAllStreams({ server }: System): Promise<void> {
  const nats = await connect({ servers: server.url });
  try {
    const { streams } = await jetstreamManager(nats);
    for (const name of await Array.fromAsync(streams.names())) await streams.delete(name);
  } finally {
    await nats.close();
  }
}

async function lastWeights({ blobs }: System, id: string): Promise<string | undefined> {
  const { checkpoints } = await listCheckpoints(blobs, id);
  return checkpoints.at(-1)?.manifest.parts.find(({ name }) => name === "model.safetensors")?.sha256;
}

test("all streams and buckets deleted while an experiment trains: records are restored, and it completes as undisturbed", async (t) => {
  const system = await startSystem(t);
  const trainer = await system.startTrainer();
  const start = (experimentId: string) =>
    trainer.client.startExperiment({ experimentId, recipe: tinyRecipe, requestId: `start-${experimentId}` });
  const undisturbed = await trainer.ended((await start("undisturbed")).name);
  assert.equal(undisturbed.state, State.COMPLETED, undisturbed.message);
  system.dataShard.lastMicroStep = 7;
  const { name } = await start("disturbed");
  const waiting = await start("waiting");
  const isHeld = async () => (await trainer.client.getExperiment({ name })).progress?.microStep === 7n;
  await until(isHeld, patience);

  await deleteAllStreams(system);
  await assert.rejects(trainer.client.startExperiment({ experimentId: "undisturbed", recipe: tinyRecipe }), (error) => {
    return error instanceof AlreadyExists || error instanceof Unavailable; // never a second one of this id
  });
  const listed = async () => (await trainer.client.listExperiments({})).experiments;
  await until(async () => (await listed().catch(() => [])).length === 3, patience);
  const titles = (await listed()).map(({ title }: Experiment) => title);
  assert.deepEqual(titles, ["waiting", "disturbed", "undisturbed"]);
  const restored = await trainer.client.getExperiment({ name: undisturbed.name });
  assert.deepEqual([restored.state, restored.recipeSha256], [State.COMPLETED, undisturbed.recipeSha256]);
  assert.equal((await start("waiting")).name, waiting.name); // the request is still known

  system.dataShard.lastMicroStep = Number.POSITIVE_INFINITY;
  for (const each of [name, waiting.name]) {
    const isOver = async () => (await trainer.client.getExperiment({ name: each })).state === State.COMPLETED;
    await until(() => isOver().catch(() => false), patience);
  }
  assert.equal(await lastWeights(system, "disturbed"), await lastWeights(system, "undisturbed"));
  assert.equal(await lastWeights(system, "waiting"), await lastWeights(system, "undisturbed"));
});
