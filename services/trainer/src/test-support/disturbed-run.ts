/** A run that somebody disturbs: held at a micro-step, let go, and compared with one that nothing happened to. */
import assert from "node:assert/strict";
import { listCheckpoints } from "@pretrain/checkpoint";
import type { Delivered } from "@pretrain/events";
import { type Experiment, Experiment_State as State } from "@pretrain/proto";
import { until } from "@pretrain/testing";
import { stateName } from "../experiment/lifecycle.ts";
import { eventsOf, type System, type Trainer, tinyRecipe, tinySteps } from "./running-trainer.ts";

/** A busy machine takes long to load and to trace; nothing here depends on how long. */
export const patienceMs = 120_000;

export interface Result {
  readonly experiment: Experiment;
  readonly events: readonly Delivered[];
  readonly losses: readonly number[];
  readonly weights: string | undefined;
}

/** What an experiment has come to, when it has ended. */
export async function resultOf(system: System, trainer: Trainer, id: string): Promise<Result> {
  const experiment = await trainer.ended(`experiments/${id}`);
  const events = await eventsOf(system, experiment.name);
  return { experiment, events, losses: lossesOf(events), weights: await lastWeights(system, id) };
}

/** The result of the recipe that all of these runs have, when nothing happens. */
export async function undisturbedResult(system: System, trainer: Trainer): Promise<Result> {
  await trainer.client.startExperiment({ experimentId: "undisturbed", recipe: tinyRecipe });
  const undisturbed = await resultOf(system, trainer, "undisturbed");
  assert.equal(undisturbed.experiment.state, State.COMPLETED, undisturbed.experiment.message);
  return undisturbed;
}

export function assertSame(found: Result, expected: Result): void {
  assert.equal(found.experiment.state, State.COMPLETED, found.experiment.message);
  assert.deepEqual(found.losses, expected.losses);
  assert.equal(found.weights, expected.weights);
}

/** Losses by micro-step, as a reader of the ledger sees them: of each step the highest attempt. */
function lossesOf(events: readonly Delivered[]): number[] {
  const losses = new Map<number, { attempt: number; nats: number }>();
  for (const event of events) {
    if (event.kind !== "step") continue;
    const { microStep, attempt, lossNats } = event.message;
    const known = losses.get(Number(microStep));
    if (known === undefined || known.attempt <= attempt) losses.set(Number(microStep), { attempt, nats: lossNats });
  }
  return Array.from({ length: tinySteps }, (_, i) => losses.get(i + 1)?.nats ?? Number.NaN);
}

/** `RUNNING`, one for each change of state. */
export function statesOf(events: readonly Delivered[]): string[] {
  return events.flatMap((event) => (event.kind === "state" ? [stateName(event.message.to)] : []));
}

async function lastWeights({ blobs }: System, id: string): Promise<string | undefined> {
  const { checkpoints } = await listCheckpoints(blobs, id);
  return checkpoints.at(-1)?.manifest.parts.find(({ name }) => name === "model.safetensors")?.sha256;
}

/** Starts an experiment and resolves when it waits for the batch of micro-step 8, with the checkpoint of 4 behind it. */
export async function startAndHold(system: System, trainer: Trainer, id: string): Promise<void> {
  system.dataShard.lastMicroStep = 7;
  const { name } = await trainer.client.startExperiment({ experimentId: id, recipe: tinyRecipe });
  const isThere = async () => (await trainer.client.getExperiment({ name })).progress?.microStep === 7n;
  await until(isThere, { timeoutMs: patienceMs });
  await hasCheckpoint(system, id, 4);
}

export async function hasCheckpoint({ blobs }: System, id: string, microStep: number): Promise<void> {
  const isThere = async () =>
    (await listCheckpoints(blobs, id)).checkpoints.some(({ manifest }) => manifest.microStep >= microStep);
  await until(isThere, { timeoutMs: patienceMs });
}

/** Resolves when the experiment is in one of the states. */
export async function reaches({ client }: Trainer, id: string, ...states: readonly State[]): Promise<Experiment> {
  const name = `experiments/${id}`;
  let found: Experiment | undefined;
  const isThere = async () => {
    found = await client.getExperiment({ name });
    return states.includes(found.state);
  };
  await until(isThere, { timeoutMs: patienceMs });
  return found ?? assert.fail(name);
}

/** The batches come again. */
export function release({ dataShard }: System): void {
  dataShard.lastMicroStep = Number.POSITIVE_INFINITY;
}
