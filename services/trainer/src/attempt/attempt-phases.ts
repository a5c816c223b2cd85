/** The four phases of an attempt: environment, data, model, training. Each ends with an event that says what was measured. */
import { type AttemptClaim, readCheckpointState } from "@pretrain/checkpoint";
import { messageOf } from "@pretrain/errors";
import type { Environment, ExperimentRecord, Progress } from "@pretrain/proto";
import { type CompleteRecipe, experimentName } from "@pretrain/recipe";
import { inSpan } from "@pretrain/tracing";
import { importedFiles } from "../experiment/imported-files.ts";
import { isHeld, stateName } from "../experiment/lifecycle.ts";
import { experimentOf } from "../experiment/record.ts";
import { totals } from "../experiment/step-plan.ts";
import type { AttemptEvents, Phase } from "./attempt-events.ts";
import { batchesFrom } from "./batches.ts";
import type { ComputingProcess, Said } from "./computing-process.ts";
import { deviceBatchRows } from "./device-batch-rows.ts";
import { differences, environmentOf, exactnessOf, memoryBytes, precisionNamed, precisionOn } from "./environment.ts";
import { DeviceMissing, Fenced } from "./faults.ts";
import { expectTokenizer } from "./import-tokenizer.ts";
import { quarantine } from "./last-checkpoint.ts";
import { lastWords } from "./last-words.ts";
import { patiently } from "./patiently.ts";
import { dataNote, environmentNote, modelNote, trainingNote } from "./phase-notes.ts";
import { type PreparedDataset, prepareDataset } from "./prepare-dataset.ts";
import { ProgressKeeper } from "./progress-keeper.ts";
import type { RightToWrite } from "./right-to-write.ts";
import type { Patience } from "./silence.ts";
import { doubtOfSize } from "./stated-size.ts";
import type { TakenExperiment } from "./take-experiment.ts";
import { trainOnChild } from "./train-on-child.ts";
import { stepPlan, trainingSetup } from "./training-setup.ts";
import type { Wishes } from "./wishes.ts";
import type { WorkerDependencies } from "./worker-dependencies.ts";

export interface Attempt extends TakenExperiment {
  readonly dependencies: WorkerDependencies;
  readonly events: AttemptEvents;
  readonly wishes: Wishes;
  readonly right: RightToWrite;
  /** How far it is when it stops, for its last word in the record; undefined before it trains. */
  readonly reached: { progress: Progress | undefined };
}

/** With a child that loads TensorFlow, or weights from a slow disk. */
const patience: Patience = { restingMs: 2 * 60_000, busyMs: 15 * 60_000 };

/** @returns how far it is: to the end. @throws Stopped; Fenced; ExperimentFault; AttemptFault; a wish's abort */
export async function attemptPhases(attempt: Attempt): Promise<ProgressKeeper> {
  const { recipe, damaged, events, wishes, dependencies } = attempt;
  for (const { reason } of damaged) events.warning(`a damaged checkpoint is passed over: ${reason}`);
  await dependencies.outbox.flush(); // the record says so before they are moved aside, and not again by the next attempt
  await quarantine(dependencies.blobs, damaged);
  // The attempt that wrote it may have died before saying so; a parent's is the parent's to tell of.
  if (attempt.resume?.manifest.experiment === attempt.claim.experiment) events.checkpointWritten(attempt.resume);
  await using opened = new AsyncDisposableStack();
  const { child, environment } = await phase(attempt, "environment", async () => {
    const started = opened.use(await dependencies.computing.take());
    const detected = await detectedEnvironment(started, recipe, wishes.signal);
    expectDevice(detected, dependencies.device);
    return [{ child: started, environment: detected }, environmentNote(detected)];
  });
  if (recipe.training.dtype !== environment.precision) {
    events.warning(`this processor has no units for ${recipe.training.dtype}; ${environment.precision} is used`);
  }
  const data = await phase(attempt, "data", async () => {
    const prepared = await prepareDataset(dependencies.dataShard, recipe, wishes.signal, (reason) => {
      dependencies.log.warn(`waits for data-shard: ${reason}`);
      events.warning(`waits for data-shard: ${reason}`);
    });
    expectTokenizer(attempt.origin, prepared.dataset);
    events.datasetPrepared(prepared);
    return [prepared, dataNote(prepared)];
  });
  const model = await phase(attempt, "model", async () => {
    const built = await buildModel(attempt, child, environment, data);
    return [built, modelNote(attempt, built)];
  });
  return await phase(attempt, "training", async () => {
    const keeper = await trainModel(attempt, child, data, model);
    return [keeper, trainingNote(keeper.progress)];
  });
}

/** @param work returns what it made and a note of measured facts */
async function phase<T>(
  { events, wishes, right, dependencies }: Attempt,
  name: Phase,
  work: () => Promise<readonly [T, string]>,
): Promise<T> {
  const began = dependencies.now();
  try {
    const [made, note] = await inSpan(`phase ${name}`, {}, work);
    await right.check();
    events.phaseEnded(name, began, { succeeded: true, note });
    return made;
  } catch (error) {
    const outcome = { succeeded: false, note: messageOf(error) };
    if (await isOurs(error, wishes, right)) lastWords(dependencies.log, () => events.phaseEnded(name, began, outcome));
    throw error;
  }
}

/** Whether the attempt may say how it ended. */
async function isOurs(error: unknown, { wish }: Wishes, right: RightToWrite): Promise<boolean> {
  if (error instanceof Fenced || wish === "fenced") return false;
  return await right.check().then(
    () => true,
    () => false,
  );
}

async function detectedEnvironment(
  child: ComputingProcess,
  { training: { dtype } }: CompleteRecipe,
  signal: AbortSignal,
): Promise<Environment> {
  const said = await orAborted(
    child.next(() => patience),
    signal,
  );
  if (said.kind !== "environment") throw new Error(`the computing process began with ${said.kind}`);
  return environmentOf(said.description, precisionOn(said.description, dtype));
}

/** @throws DeviceMissing: a run that was given a GPU would take a hundred times as long without a word */
function expectDevice({ device }: Environment, { wanted, onMissing }: WorkerDependencies["device"]): void {
  if (wanted === "cpu" || device === "GPU") return;
  const reason = "TensorFlow finds no GPU that it can use, and PRETRAIN_TENSORFLOW=gpu promises one";
  onMissing(reason);
  throw new DeviceMissing(`${reason}; another worker goes on`);
}

export interface BuiltModel {
  readonly plan: ReturnType<typeof stepPlan>;
  readonly ready: Extract<Said, { kind: "ready" }>;
}

/** New weights, or those of the last checkpoint, in the child; and the event that the attempt has begun with them. */
async function buildModel(
  attempt: Attempt,
  child: ComputingProcess,
  environment: Environment,
  { dataset }: PreparedDataset,
): Promise<BuiltModel> {
  const { recipe, claim, resume, events, wishes, dependencies } = attempt;
  const plan = stepPlan(recipe, Number(dataset.trainRows));
  const rows = await rowsOnDevice(attempt);
  const exactness = exactnessOf(environment, rows);
  const inexact = await inexactness(attempt, exactness);
  const setup = trainingSetup({
    identity: identityOf(attempt),
    recipe,
    recipeSha256: attempt.recipeSha256,
    plan,
    exactness,
    resume,
    imported: resume === undefined ? importedFiles(attempt.origin) : undefined,
    dataset: dataset.name.replace("datasets/", ""),
    datasetSha256: dataset.manifestSha256,
    deviceBatchRows: rows,
    precision: precisionNamed(environment.precision),
  });
  const { blobsAddress, programsFolder } = dependencies;
  await child.send({ kind: "prepare", blobs: blobsAddress, programs: programsFolder, setup });
  const ready = await orAborted(
    child.next(() => patience),
    wishes.signal,
  );
  if (ready.kind !== "ready") throw new Error(`the computing process answered ${ready.kind}, not ready`);
  await attempt.release(); // it is loaded
  const doubt = doubtOfSize(recipe.model);
  if (doubt !== undefined) events.warning(doubt);
  const { microSteps, optimizerSteps } = totals(plan);
  events.started({
    processId: child.processId,
    environment,
    resumedFromMicroStep: BigInt(claim.resumesFrom),
    parameters: BigInt(ready.parameters),
    totalMicroSteps: BigInt(microSteps),
    microStepsPerEpoch: BigInt(plan.microStepsPerEpoch),
    totalOptimizerSteps: BigInt(optimizerSteps),
    deviceBatchRows: rows,
    inexact,
  });
  return { plan, ready };
}

async function trainModel(
  attempt: Attempt,
  child: ComputingProcess,
  { dataset }: PreparedDataset,
  { plan, ready }: BuiltModel,
): Promise<ProgressKeeper> {
  const { claim, recipe, events, wishes, right, dependencies } = attempt;
  const { experiments, dataShard, blobs, outbox, isStateKept, now, log } = dependencies;
  const identity = identityOf(attempt);
  const keeper = new ProgressKeeper(plan, ready.microStep);
  const fields = { dataset: dataset.name, parameters: BigInt(ready.parameters), progress: keeper.progress };
  const change = { now: now(), message: "trains", fields };
  await patiently(
    () => experiments.advance(identity.id, "run", change, (record) => expectOurs(record, claim)),
    wishes.signal,
  );
  const keeping = new AbortController();
  const kept = keeper.keep({ experiments, log }, identity, right, keeping.signal);
  try {
    await trainOnChild({
      child,
      plan,
      blobs,
      outbox,
      isStateKept,
      events,
      wishes,
      right,
      now,
      startMicroStep: ready.microStep,
      profileInterval: recipe.monitoring.profile ? recipe.monitoring.profileInterval : 0,
      batches: (signal) =>
        batchesFrom({ dataShard, dataset: dataset.name, recipe, plan }, ready.microStep, ready.cursor, signal),
      onStep: (step) => keeper.add(step),
      onCheckpoint: ({ manifest }) => log.info({ microStep: manifest.microStep }, "checkpoint written"),
    });
    return keeper;
  } finally {
    attempt.reached.progress = keeper.progress;
    keeping.abort();
    await kept;
  }
}

/** The recipe's number, or the number that the checkpoint was computed with, so that going on is exact, or a fresh one. */
async function rowsOnDevice({ recipe, resume, dependencies }: Attempt): Promise<number> {
  if (recipe.hardware.deviceBatchRows === 0 && resume !== undefined) {
    const { exactness } = await readCheckpointState(dependencies.blobs, resume);
    const rows = Number(exactness["device_batch_rows"]);
    if (Number.isSafeInteger(rows) && rows > 0) return rows;
  }
  return deviceBatchRows(recipe, memoryBytes());
}

/** What differs from where the checkpoint was written, for the record; and a warning, for whoever follows the log. */
async function inexactness({ resume, events, dependencies }: Attempt, now: Record<string, string>): Promise<string[]> {
  if (resume === undefined) return [];
  const { exactness } = await readCheckpointState(dependencies.blobs, resume);
  const differing = differences(exactness, now);
  if (differing.length > 0) events.warning(`going on from a checkpoint is not exact here: ${differing.join("; ")}`);
  return [...differing];
}

/** @throws Fenced when the record is not held by this attempt: another one has begun, or is about to */
export function expectOurs(record: ExperimentRecord, { experiment, attempt: ours }: AttemptClaim): void {
  const { attempt, state } = experimentOf(record);
  if (attempt === ours && isHeld(state)) return;
  throw new Fenced(`${experimentName(experiment)} is ${stateName(state)} in attempt ${attempt}, not held by ${ours}`);
}

export function identityOf({ claim: { experiment, attempt, nonce } }: Pick<TakenExperiment, "claim">) {
  return { id: experiment, attempt, nonce };
}

/** The answer, unless the attempt is to stop before. */
async function orAborted<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  try {
    return await Promise.race([answer, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
