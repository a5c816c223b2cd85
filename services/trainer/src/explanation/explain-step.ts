/**
 * A past micro-step computed again, in a process of its own, by the functions and with the settings that computed it first:
 *
 *     checkpoint ── replayed ── … ── replayed ─┬─ the step ─┬─ … ── end of its optimizer step
 *       held until it is loaded                └─ its rows  └─ norm and clip factor
 *
 * Nothing is written but the hold. Whatever dies, nothing else changes.
 */
import type { BlobStore } from "@pretrain/blobs";
import { listCheckpoints } from "@pretrain/checkpoint";
import { FailedPrecondition, NotFound } from "@pretrain/errors";
import type { Broker } from "@pretrain/events";
import type { Log } from "@pretrain/observability";
import {
  type Dataset,
  Dataset_State as DatasetState,
  Experiment_Reason as Reason,
  type StepExplanation,
} from "@pretrain/proto";
import { type CompleteRecipe, completeRecipe } from "@pretrain/recipe";
import { batchesFrom } from "../attempt/batches.ts";
import type { ComputingProcess } from "../attempt/computing-process.ts";
import { deviceBatchRows } from "../attempt/device-batch-rows.ts";
import {
  differences,
  environmentOf,
  exactnessOf,
  memoryBytes,
  precisionNamed,
  precisionOn,
} from "../attempt/environment.ts";
import { ExperimentFault } from "../attempt/faults.ts";
import type { DataShard } from "../attempt/prepare-dataset.ts";
import type { Patience } from "../attempt/silence.ts";
import { stepPlan, trainingSetup } from "../attempt/training-setup.ts";
import { experimentOf } from "../experiment/record.ts";
import type { StepPlan } from "../experiment/step-plan.ts";
import type { Experiments } from "../stores/experiments.ts";
import type { TrainingSetup } from "../worker/protocol.ts";
import { claimsBack, countingAttempts } from "./counting-attempts.ts";
import {
  expectComputed,
  type PastStep,
  pastStep,
  reached,
  stepExplanation,
  usableCheckpoints,
} from "./explained-step.ts";
import { type PastEnvironment, pastEnvironments } from "./past-environments.ts";
import { type Replayed, replayOnChild } from "./replay-on-child.ts";
import { type ReplayStart, replayStarts } from "./replay-starts.ts";

export interface ExplainDependencies {
  readonly experiments: Pick<Experiments, "get">;
  readonly broker: Pick<Broker, "follow">;
  readonly blobs: BlobStore;
  /** The same store by its address, for the process that computes. */
  readonly blobsAddress: string;
  /** Where traced functions are kept. */
  readonly programsFolder: string;
  readonly dataShard: Pick<DataShard, "getDataset" | "streamBatches">;
  readonly startComputing: () => Promise<ComputingProcess>;
  readonly now: () => Date;
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
interface Case {
  readonly dependencies: ExplainDependencies;
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

/**
 * @throws NotFound when there is no such experiment, or it has not computed the step; FailedPrecondition when nothing is left to begin
 *   from, or the dataset is gone; ExperimentFault and AttemptFault from the process that computes; the reason of `signal`
 */
export async function explainStep(
  dependencies: ExplainDependencies,
  asked: AskedStep,
  signal: AbortSignal,
): Promise<StepExplanation> {
  const { experiments, blobs, dataShard, now, log } = dependencies;
  const { value: record } = await experiments.get(asked.experiment);
  const experiment = experimentOf(record);
  const { name, recipeSha256 } = experiment;
  const list = await listCheckpoints(blobs, asked.experiment);
  const done = reached(record, list);
  expectComputed(experiment, done, asked.microStep);
  const recipe = completeRecipe(experiment.recipe);
  const dataset = await readyDataset(dataShard, experiment.dataset, signal);
  const plan = stepPlan(recipe, Number(dataset.trainRows));
  const past = pastStep(plan, experiment, done, asked.microStep);
  const known = { dependencies, asked, name, recipe, recipeSha256, dataset, plan, past, lastAttempt: done.attempt };
  const unusable: string[] = [];
  const onUnusable = (start: string, reason: string) => {
    log.warn({ experiment: asked.experiment, start, reason }, "a step cannot be explained from here");
    unusable.push(`${start}: ${reason}`);
  };
  const checkpoints = usableCheckpoints(list, plan, recipeSha256, past.begin);
  for await (const start of replayStarts({ blobs, experiment, checkpoints, now, onUnusable })) {
    const explained = await explainedFrom(start, known, signal, onUnusable);
    if (explained !== undefined) return explained;
  }
  const why = unusable.length === 0 ? "" : ` (${unusable.join("; ")})`;
  const message = `${name}: no checkpoint before micro-step ${asked.microStep} is left to compute it from${why}; keep_every keeps some`;
  throw new FailedPrecondition("NO_CHECKPOINT_BEFORE", message, { experiment: name, micro_step: `${asked.microStep}` });
}

async function readyDataset(dataShard: Pick<DataShard, "getDataset">, name: string, signal: AbortSignal) {
  const refuse = (fault: string): never => {
    const message = `${name} ${fault}; have data-shard pack its file again, unchanged, and ask again`;
    throw new FailedPrecondition("DATASET_UNUSABLE", message, { dataset: name });
  };
  const dataset = await dataShard.getDataset({ name }, { signal }).catch((error: unknown) => {
    if (error instanceof NotFound) return refuse("is not there any more");
    throw error;
  });
  if (dataset.state !== DatasetState.READY) refuse("is not ready");
  return dataset;
}

/** @returns undefined when it cannot be begun from there */
async function explainedFrom(
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
  const { dependencies, asked, name, recipe, dataset, plan, past } = known;
  const conditions = await conditionsOf(start, known, signal);
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
  const replayed: Replayed = await replayOnChild({ child, asked: replay, batches });
  const checkpoint = start.checkpoint === undefined ? "" : start.name;
  return stepExplanation(
    { experiment: name, past, attempt: conditions.attempts[0] ?? 0, checkpoint, inexact },
    replayed,
  );
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

interface Conditions {
  /** Those whose steps are computed again, that of the examined step first. */
  readonly attempts: readonly number[];
  readonly environments: ReadonlyMap<number, PastEnvironment>;
}

async function conditionsOf(
  start: ReplayStart,
  { dependencies, asked, name, past, lastAttempt }: Case,
  signal: AbortSignal,
) {
  const { blobs, broker } = dependencies;
  const from = start.checkpoint?.state.microStep ?? 0;
  const claims = await claimsBack(blobs, asked.experiment, lastAttempt, from);
  const attempts = countingAttempts(claims, from, past.microStep);
  const known = await pastEnvironments(broker, name, attempts, signal);
  return { attempts, environments: withCheckpoint(known, start, attempts) };
}

/** Where an event is lost, the checkpoint says the same of the attempt that wrote it. */
function withCheckpoint(
  known: ReadonlyMap<number, PastEnvironment>,
  { checkpoint }: ReplayStart,
  attempts: readonly number[],
) {
  const all = new Map(known);
  if (checkpoint === undefined) return all;
  const { attempt, exactness } = checkpoint.state;
  const rows = Number(exactness["device_batch_rows"]);
  if (!all.has(attempt) && attempts.includes(attempt) && rows > 0)
    all.set(attempt, { exactness, deviceBatchRows: rows });
  return all;
}

/** As the attempt that computed the step was set up, on what there is here. */
async function setupFor(
  child: ComputingProcess,
  { checkpoint, imported }: ReplayStart,
  { asked, recipe, recipeSha256, dataset, plan }: Case,
  { attempts, environments }: Conditions,
): Promise<{ readonly setup: TrainingSetup; readonly inexact: readonly string[] }> {
  const said = await child.next(() => patience);
  if (said.kind !== "environment") throw new Error(`the computing process began with ${said.kind}`);
  const environment = environmentOf(said.description, precisionOn(said.description, recipe.training.dtype));
  const [attempt = 0] = attempts;
  const rows = environments.get(attempt)?.deviceBatchRows ?? deviceBatchRows(recipe, memoryBytes());
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
  return { setup, inexact: differing(attempts, environments, exactness) };
}

function differing(
  attempts: readonly number[],
  environments: ReadonlyMap<number, PastEnvironment>,
  now: Readonly<Record<string, string>>,
): string[] {
  const found = attempts.flatMap((attempt) => {
    const then = environments.get(attempt);
    return then === undefined ? [`attempt ${attempt}: not known where it computed`] : differences(then.exactness, now);
  });
  return [...new Set(found)];
}
