/** A piece of work, from the queue to its end: what becomes of the attempt is in the record before the piece is let go. */
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { AttemptClaim } from "@pretrain/checkpoint";
import { Aborted, DataLoss, FailedPrecondition, messageOf, ResourceExhausted } from "@pretrain/errors";
import type { Piece } from "@pretrain/events";
import { Experiment_Reason as Reason, type TrainWork } from "@pretrain/proto";
import { idOfExperimentName } from "@pretrain/recipe";
import { inExperiment } from "@pretrain/tracing";
import { type AttemptEnd, endAsWished, isEnded } from "../experiment/attempt-end.ts";
import { isHeld } from "../experiment/lifecycle.ts";
import { changed, experimentOf, withFields } from "../experiment/record.ts";
import { forkHolder } from "../stores/origin-holds.ts";
import { AttemptEvents } from "./attempt-events.ts";
import { type Attempt, attemptPhases, expectOurs, identityOf } from "./attempt-phases.ts";
import { AttemptFault, DeviceMissing, ExperimentFault, Fenced } from "./faults.ts";
import { originCheckpoint } from "./fork-origin.ts";
import { lastWords } from "./last-words.ts";
import { patiently } from "./patiently.ts";
import { RightToWrite } from "./right-to-write.ts";
import { type TakenExperiment, type Taking, takeExperiment } from "./take-experiment.ts";
import { Wishes, watchRecord } from "./wishes.ts";
import type { WorkerDependencies } from "./worker-dependencies.ts";

/** Pause before the next attempt behind one that died: what ended it may be going on. */
const retryMs = 1_000;
/** How soon a piece is looked at again whose experiment somebody holds. */
const heldMs = 1_000;
/** How long the end of an experiment waits for its last metrics to reach the broker. */
const lastEventsMs = 30_000;
/** What a worker that must end has left for writing down and handing back; and of that, for its last metrics. */
const handBackMs = 5_000;
const lastEventsAtShutdownMs = 2_000;

type TrainPiece = Pick<Piece<TrainWork>, "message" | "preempted" | "done" | "again" | "leave">;

/** @param shutdown aborted when this worker is to end */
export async function runAttempt(
  piece: TrainPiece,
  dependencies: WorkerDependencies,
  shutdown: AbortSignal,
): Promise<void> {
  const id = idOfExperimentName(piece.message.experiment);
  const log = dependencies.log.child({ experiment: id });
  const taken = await take({ ...dependencies, log }, id);
  if (taken === "held by another") return piece.again(heldMs);
  if (taken === "nothing to do") return await piece.done();
  const { attempt } = taken.claim;
  log.info({ attempt, resumesFrom: taken.claim.resumesFrom }, "attempt begins");
  const live = () => lived(taken, { ...dependencies, log: log.child({ attempt }) }, piece.preempted, shutdown);
  const told = { "pretrain.attempt": attempt, "pretrain.resumes_from": taken.claim.resumesFrom };
  const command = await inExperiment(id, `attempt ${attempt}`, told, () => leased(taken, live));
  if (command === undefined) piece.leave();
  else if (command === "interrupt") piece.again(shutdown.aborted || piece.preempted.aborted ? 0 : retryMs);
  else await piece.done();
}

/** The lease is let go behind the record and before the piece of work: whoever takes the piece finds both free. */
async function leased<T>({ lease }: TakenExperiment, live: () => Promise<T>): Promise<T> {
  try {
    return await live();
  } finally {
    await lease[Symbol.asyncDispose]();
  }
}

/** @throws what kept the attempt from beginning; the record says it too, as far as it can be written */
async function take(dependencies: WorkerDependencies, id: string): Promise<Taking> {
  const { experiments, log } = dependencies;
  try {
    return await takeExperiment(dependencies, id);
  } catch (error) {
    if (error instanceof FailedPrecondition || error instanceof Aborted) {
      log.warn({ reason: messageOf(error) }, "the experiment has changed meanwhile; it is looked at again");
      return "held by another";
    }
    if (error instanceof ResourceExhausted) return await pausedForRoom(dependencies, id, error);
    const message = `waits: the last worker that took it could not begin: ${messageOf(error)}`;
    await experiments.change(id, ({ value }) => withFields(value, { message }));
    throw error;
  }
}

/** Not even a beginning can be kept: it waits without a worker. */
async function pausedForRoom(
  { experiments, now }: WorkerDependencies,
  id: string,
  error: ResourceExhausted,
): Promise<Taking> {
  const change = { now: now(), reason: Reason.OUT_OF_RESOURCES, message: messageOf(error) };
  await experiments.advance(id, "pause", change, (record) => {
    if (isHeld(experimentOf(record).state)) throw error; // it is another's meanwhile
  });
  return "nothing to do";
}

/** Runs the attempt and writes down how it ended. @returns undefined when another attempt holds the experiment */
async function lived(
  taken: TakenExperiment,
  dependencies: WorkerDependencies,
  preempted: AbortSignal,
  shutdown: AbortSignal,
): Promise<AttemptEnd["command"] | undefined> {
  const { experiments, outbox, blobs, now, graceMs, log } = dependencies;
  const identity = identityOf(taken);
  const events = new AttemptEvents(identity, outbox, now);
  const wishes = new Wishes();
  const right = new RightToWrite(taken.lease, taken.claim, blobs);
  const over = new AbortController();
  whenAborted(taken.lease.lost, () => wishes.make("fenced"), over.signal);
  whenAborted(preempted, () => wishes.make("preempt"), over.signal);
  whenAborted(shutdown, () => stopWithin(graceMs, wishes, over.signal), over.signal);
  const watching = watchRecord({ experiments, log }, identity, wishes, over.signal);
  try {
    const reached = { progress: undefined };
    const end = await endOf({ ...taken, dependencies, events, wishes, right, reached });
    if (end === undefined) return undefined;
    const patience = AbortSignal.timeout(shutdown.aborted ? lastEventsAtShutdownMs : lastEventsMs);
    await outbox.drained(patience).catch(() => log.warn("metrics are still waiting for the broker"));
    return await writeDown(taken.claim, end, dependencies);
  } finally {
    over.abort();
    await watching;
  }
}

function whenAborted(signal: AbortSignal, act: () => void, over: AbortSignal): void {
  if (signal.aborted) act();
  else signal.addEventListener("abort", act, { once: true, signal: over });
}

/** The optimizer step that is being computed is finished and kept, if that takes no longer than there is time. */
function stopWithin(graceMs: number, wishes: Wishes, over: AbortSignal): void {
  wishes.make("shutdown");
  const timer = setTimeout(() => wishes.make("abandon"), Math.max(graceMs / 2, graceMs - handBackMs));
  over.addEventListener("abort", () => clearTimeout(timer), { once: true });
}

async function endOf(attempt: Attempt): Promise<AttemptEnd | undefined> {
  const { now, log, outbox } = attempt.dependencies;
  const { wishes, right } = attempt;
  try {
    const { progress } = await attemptPhases({ ...attempt, resume: await beginning(attempt) });
    const trainingEndTime = timestampFromDate(now());
    await outbox.drained(wishes.signal); // COMPLETED says that everything can be read
    const message = `${progress.microStep} micro-steps, ${progress.optimizerStep} optimizer steps`;
    return { command: "complete", change: { now: now(), message, fields: { progress, trainingEndTime } } };
  } catch (error) {
    const refusal = await refusalOf(error, wishes, right);
    if (refusal === undefined) return endBy(error, attempt);
    log.warn({ reason: refusal }, "another attempt holds the experiment; this one stops");
    return undefined;
  }
}

/** Its own last checkpoint; of a fork that has none, its parent's; undefined: from nothing, or from the files of an import. */
async function beginning({ resume, origin, claim, dependencies: { blobs } }: Attempt): Promise<Attempt["resume"]> {
  if (resume !== undefined || origin === undefined || origin.imported !== undefined) return resume;
  return await originCheckpoint(blobs, origin, forkHolder(claim.experiment));
}

/** Why the attempt may not write another word, if it may not. */
async function refusalOf(error: unknown, { wish }: Wishes, right: RightToWrite): Promise<string | undefined> {
  if (error instanceof Fenced || wish === "fenced") return messageOf(error);
  return await right.check().then(
    () => undefined,
    (refused: unknown) => messageOf(refused),
  );
}

function endBy(error: unknown, { wishes, events, reached, dependencies: { now, log } }: Attempt): AttemptEnd {
  const fields = reached.progress && { progress: reached.progress };
  const ended = (command: AttemptEnd["command"], reason: Reason, message: string): AttemptEnd => ({
    command,
    change: { now: now(), reason, message, ...(fields && { fields }) },
  });
  const message = messageOf(error);
  const reason = reasonOf(error);
  if (reason === Reason.OUT_OF_RESOURCES) {
    log.error({ reason: message }, "there is no room; the experiment is paused");
    lastWords(log, () => events.error(message));
    return ended("pause", reason, message);
  }
  if (isFatal(error)) {
    log.error({ reason: message }, "the experiment failed");
    lastWords(log, () => events.error(message));
    return ended("fail", reason, message);
  }
  if (error instanceof DeviceMissing) return ended("interrupt", reason, message);
  const goesOn = "another attempt goes on from the last checkpoint";
  if (wishes.wish === "cancel") return ended("cancel", Reason.USER, "cancelled by its user");
  if (wishes.wish === "pause") return ended("pause", Reason.USER, "paused by its user");
  if (wishes.wish === "preempt") {
    return ended("interrupt", Reason.PREEMPTED, `gave way to an experiment of a higher priority; ${goesOn}`);
  }
  if (wishes.wish === "shutdown") return ended("interrupt", Reason.SHUTDOWN, `its worker was asked to stop; ${goesOn}`);
  if (wishes.wish === "abandon") {
    const cut = "its worker was asked to stop and had no time to finish its step";
    return ended("interrupt", Reason.SHUTDOWN, `${cut}; ${goesOn}`);
  }
  if (error instanceof AttemptFault) log.error({ reason: message }, "the attempt cannot go on");
  else log.error({ err: error }, "the attempt ended by a fault of the program");
  lastWords(log, () => events.error(message));
  return ended("interrupt", reason, message);
}

function reasonOf(error: unknown): Reason {
  if (error instanceof ExperimentFault || error instanceof AttemptFault) return error.reason;
  if (error instanceof ResourceExhausted) return Reason.OUT_OF_RESOURCES;
  return error instanceof DataLoss ? Reason.DATA_LOSS : Reason.EXIT_CODE;
}

/** Whether no attempt can complete the experiment. */
function isFatal(error: unknown): boolean {
  return error instanceof ExperimentFault || error instanceof DataLoss;
}

/** @returns what became of it; undefined when the record is another attempt's */
async function writeDown(
  claim: AttemptClaim,
  end: AttemptEnd,
  { experiments, log }: WorkerDependencies,
): Promise<AttemptEnd["command"] | undefined> {
  let written = end;
  const write = async () => {
    const found = await experiments.change(claim.experiment, ({ value }) => {
      if (isEnded(value, claim.attempt, end.change)) return undefined;
      expectOurs(value, claim);
      written = endAsWished(value, end);
      return changed(value, written.command, written.change);
    });
    await experiments.settle(found);
  };
  try {
    await patiently(write, new AbortController().signal);
    log.info({ command: written.command, message: written.change.message }, "attempt ended");
    return written.command;
  } catch (error) {
    if (!(error instanceof Fenced)) throw error;
    log.warn({ reason: error.message }, "how the attempt ended is not written down: it is not the last one");
    return undefined;
  }
}
