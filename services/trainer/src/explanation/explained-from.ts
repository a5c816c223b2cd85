/**
 * A past micro-step computed again, in a process of its own, by the functions and with the settings that computed it first:
 *
 *     checkpoint ── replayed ── … ── replayed ─┬─ the step ─┬─ … ── end of its optimizer step
 *       held until it is loaded                └─ its rows  └─ norm and clip factor
 *
 * Nothing is written but the hold. Whatever dies, nothing else changes.
 */
import type { BlobStore } from "@pretrain/blobs";
import type { Broker } from "@pretrain/events";
import type { Log } from "@pretrain/observability";
import { type Dataset, Experiment_Reason as Reason, type StepExplanation } from "@pretrain/proto";
import type { CompleteRecipe } from "@pretrain/recipe";
import { batchesFrom } from "../attempt/batches.ts";
import type { ComputingProcess } from "../attempt/computing-process.ts";
import { deviceBatchRows } from "../attempt/device-batch-rows.ts";
import { environmentOf, exactnessOf, memoryBytes, precisionNamed, precisionOn } from "../attempt/environment.ts";
import { ExperimentFault } from "../attempt/faults.ts";
import type { DataShard } from "../attempt/prepare-dataset.ts";
import type { Patience } from "../attempt/silence.ts";
import { trainingSetup } from "../attempt/training-setup.ts";
import type { StepPlan } from "../experiment/step-plan.ts";
import type { TrainingSetup } from "../worker/protocol.ts";
import { type PastStep, stepExplanation } from "./explained-step.ts";
import { inexactness, type PastConditions, pastConditions } from "./past-conditions.ts";
import { replayOnChild } from "./replay-on-child.ts";
import type { ReplayStart } from "./replay-starts.ts";

export interface ReplayDependencies {
  readonly broker: Pick<Broker, "follow">;
  readonly blobs: BlobStore;
  /** The same store by its address, for the process that computes. */
  readonly blobsAddress: string;
  /** Where traced functions are kept. */
  readonly programsFolder: string;
  readonly dataShard: Pick<DataShard, "streamBatches">;
  readonly startComputing: () => Promise<ComputingProcess>;
  readonly log: Log;
}

export interface AskedStep {
  /** Canonical id. */
  readonly experiment: string;
  readonly microStep: number;
  readonly detailedRows: number;
}

/** With a child that loads TensorFlow, or weights from a slow disk, and leaves the processors to others. */
const patience: Patience = { restingMs: 2 * 60_000, busyMs: 15 * 60_000 };

/** What is known before a process is started. */
export interface Case {
  readonly dependencies: ReplayDependencies;
  readonly asked: AskedStep;
  readonly name: string;
  readonly recipe: CompleteRecipe;
  readonly recipeSha256: string;
  readonly dataset: Dataset;
  readonly plan: StepPlan;
  readonly past: PastStep;
  /** The last attempt that trained. */
  readonly lastAttempt: number;
}

/** @returns undefined when it cannot be begun from there, of which `onUnusable` hears why */
export async function explainedFrom(
  start: ReplayStart,
  known: Case,
  signal: AbortSignal,
  onUnusable: (name: string, reason: string) => void,
): Promise<StepExplanation | undefined> {
  const { dataset, dependencies } = known;
  try {
    const written = start.checkpoint?.state.datasetSha256 ?? dataset.manifestSha256;
    if (written !== dataset.manifestSha256) {
      onUnusable(start.name, `belongs to a dataset with the digest ${written}, not ${dataset.manifestSha256}`);
      return undefined;
    }
    signal.throwIfAborted();
    await using child = await dependencies.startComputing();
    return await whileWanted(child, signal, () => explainedOn(child, start, known, signal));
  } catch (error) {
    if (!(error instanceof StartUnusable)) throw error;
    onUnusable(start.name, error.message);
    return undefined;
  } finally {
    await start.release();
  }
}

/** What `work` returns; it hears of nothing more from the child when the caller is gone. */
async function whileWanted<T>(child: ComputingProcess, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const interrupt = () => child.interrupt(signal.reason);
  signal.addEventListener("abort", interrupt, { once: true });
  if (signal.aborted) interrupt();
  try {
    return await work();
  } finally {
    signal.removeEventListener("abort", interrupt);
  }
}

/** What the step would begin from is damaged. */
class StartUnusable extends Error {}

async function explainedOn(
  child: ComputingProcess,
  start: ReplayStart,
  known: Case,
  signal: AbortSignal,
): Promise<StepExplanation> {
  const { dependencies, asked, name, recipe, dataset, plan, past, lastAttempt } = known;
  const { experiment } = asked;
  const steps = { name, experiment, lastAttempt, checkpoint: start.checkpoint?.state, upTo: past.microStep };
  const conditions = await pastConditions(dependencies, steps, signal);
  const { setup, inexact } = await setupFor(child, start, known, conditions);
  const { tokenizerBlob: blob, tokenizerSha256: sha256 } = dataset;
  const replay = {
    examined: past.microStep,
    last: past.last,
    detailedRows: asked.detailedRows,
    tokenizer: { blob, sha256 },
  };
  const { blobsAddress: blobs, programsFolder: programs, dataShard } = dependencies;
  await child.send({ kind: "prepare", blobs, programs, setup, replay });
  const { microStep, cursor } = await ready(child);
  await start.release(); // it is loaded
  const source = { dataShard, dataset: dataset.name, recipe, plan };
  const batches = (until: AbortSignal) => batchesFrom(source, microStep, cursor, AbortSignal.any([signal, until]));
  const replayed = await replayOnChild({ child, asked: replay, batches });
  const checkpoint = start.checkpoint === undefined ? "" : start.name;
  const [attempt = 0] = conditions.attempts;
  return stepExplanation({ experiment: name, past, attempt, checkpoint, inexact }, replayed);
}

async function ready(child: ComputingProcess) {
  const said = await child
    .next(() => patience)
    .catch((error: unknown) => {
      const isDamage = error instanceof ExperimentFault && error.reason === Reason.DATA_LOSS;
      throw isDamage ? new StartUnusable(error.message) : error;
    });
  if (said.kind === "ready") return said;
  throw new Error(`the computing process answered ${said.kind}, not ready`);
}

/** As the attempt that computed the step was set up, on what there is here. */
async function setupFor(
  child: ComputingProcess,
  { checkpoint, imported }: ReplayStart,
  { asked, recipe, recipeSha256, dataset, plan }: Case,
  conditions: PastConditions,
): Promise<{ readonly setup: TrainingSetup; readonly inexact: readonly string[] }> {
  const said = await child.next(() => patience);
  if (said.kind !== "environment") throw new Error(`the computing process began with ${said.kind}`);
  const environment = environmentOf(said.description, precisionOn(said.description, recipe.training.dtype));
  const [attempt = 0] = conditions.attempts;
  const rows = conditions.environments.get(attempt)?.deviceBatchRows ?? deviceBatchRows(recipe, memoryBytes());
  const exactness = exactnessOf(environment, rows);
  const setup = trainingSetup({
    identity: { id: asked.experiment, attempt, nonce: "" },
    recipe,
    recipeSha256,
    plan,
    exactness,
    resume: checkpoint?.sealed,
    imported,
    dataset: dataset.name.replace("datasets/", ""),
    datasetSha256: dataset.manifestSha256,
    deviceBatchRows: rows,
    precision: precisionNamed(environment.precision),
  });
  return { setup, inexact: inexactness(conditions, exactness) };
}
