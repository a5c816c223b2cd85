/** The loop of the process that computes: a batch in, a step out, a checkpoint where one is due. */
import type { CheckpointState } from "@pretrain/checkpoint";
import { parameterCount } from "@pretrain/model";
import { steadyNow } from "@pretrain/worker-process";
import { endsOptimizerStep, isCheckpointDue, totals } from "../experiment/step-plan.ts";
import type { CheckpointWriter } from "./checkpoint-writer.ts";
import type { Inbox } from "./inbox.ts";
import type { FromChild, Memory, StepTimes, TrainingSetup } from "./protocol.ts";
import type { ComputedStep, TrainingRun } from "./training-run.ts";

export interface Training {
  readonly run: TrainingRun;
  readonly setup: TrainingSetup;
  readonly checkpoints: Pick<CheckpointWriter, "save" | "settled" | "failed">;
  readonly inbox: Inbox;
  readonly send: (message: FromChild) => Promise<void>;
}

/**
 * Trains until the end of the plan, or until the parent wants it to stop; then every checkpoint is durable.
 *
 * @throws NotFinite; whatever keeps a checkpoint from being written, as soon as it is known
 */
export async function train(training: Training): Promise<void> {
  await Promise.race([loop(training), training.checkpoints.failed]);
}

async function loop(training: Training): Promise<void> {
  const { run, setup, inbox, send } = training;
  const { microStep, cursor } = run.counters;
  await send({ kind: "ready", parameters: parameterCount(setup.shape), microStep, cursor });
  const last = totals(setup.plan).microSteps;
  let saved = microStep;
  if (beginsWithImport(setup)) saved = await save(training); // what was read is a checkpoint before anything is computed of it
  let ended = performance.now();
  while (run.counters.microStep < last) {
    const waited = performance.now();
    const batch = await inbox.next(isBetweenOptimizerSteps(training));
    if (batch === undefined) break;
    const arrived = performance.now();
    const step = run.step(batch);
    const began = ended;
    ended = performance.now();
    const times = timesOf(step, arrived - waited, ended - began);
    const memory = isSampled(step.microStep, setup) ? memoryNow(training) : undefined;
    await send({ kind: "step", endTimeMs: steadyNow().getTime(), ...step, times, memory });
    if (isCheckpointDue(setup.plan, setup.saveInterval, step.microStep)) saved = await save(training);
  }
  if (inbox.stopsAt === "at_checkpoint" && saved < run.counters.microStep) await save(training);
  await sayingSo(send, training.checkpoints.settled());
}

function beginsWithImport({ imported, resume }: TrainingSetup): boolean {
  return imported !== undefined && resume === undefined;
}

/** Where nothing is accumulated: what a checkpoint may be taken of. */
function isBetweenOptimizerSteps({ run, setup }: Training): boolean {
  const { microStep } = run.counters;
  return microStep === 0 || endsOptimizerStep(setup.plan, microStep);
}

/** Begins a checkpoint of this moment. @returns the micro-step that it keeps */
async function save({ run, setup, checkpoints, send }: Training): Promise<number> {
  await sayingSo(send, checkpoints.save(run.program, stateOf(run, setup)));
  return run.counters.microStep;
}

function stateOf({ counters }: TrainingRun, setup: TrainingSetup): CheckpointState {
  const { experiment, attempt, attemptNonce, seed, recipeSha256, dataset, datasetSha256, exactness } = setup;
  return { experiment, attempt, attemptNonce, seed, recipeSha256, dataset, datasetSha256, exactness, ...counters };
}

const writingEveryMs = 2_000;

/** Waits for a checkpoint, and says so: a parent that hears nothing takes it for a hang. */
async function sayingSo(send: Training["send"], written: Promise<void>): Promise<void> {
  const timer = setInterval(() => void send({ kind: "writing" }), writingEveryMs);
  try {
    await written;
  } finally {
    clearInterval(timer);
  }
}

/** What is not waiting, computing or updating is the rest, so that the parts add up to the whole. */
function timesOf({ forwardBackwardMs, optimizerMs }: ComputedStep, dataMs: number, totalMs: number): StepTimes {
  const otherMs = Math.max(0, totalMs - dataMs - forwardBackwardMs - optimizerMs);
  return { dataMs, forwardBackwardMs, optimizerMs, otherMs, totalMs };
}

function isSampled(microStep: number, { memoryInterval }: TrainingSetup): boolean {
  return microStep % memoryInterval === 0;
}

function memoryNow({ run }: Training): Memory {
  const { bytes, variables } = run.program.memory();
  return {
    rssBytes: process.memoryUsage.rss(),
    peakRssBytes: process.resourceUsage().maxRSS * 1024, // the system counts in KiB
    tensorBytes: bytes,
    tensors: variables,
  };
}
