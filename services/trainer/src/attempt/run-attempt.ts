/** A piece of work, from the queue to its end: what becomes of the attempt is in the record before the piece is let go. */
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Aborted, DataLoss, FailedPrecondition, messageOf, ResourceExhausted } from "@pretrain/errors";
import type { Piece } from "@pretrain/events";
import { Experiment_Reason as Reason, type TrainWork } from "@pretrain/proto";
import { idOfExperimentName } from "@pretrain/recipe";
import type { Command } from "../experiment/lifecycle.ts";
import { type Change, experimentOf, withFields } from "../experiment/record.ts";
import { AttemptEvents } from "./attempt-events.ts";
import { type Attempt, attemptPhases, identityOf } from "./attempt-phases.ts";
import { AttemptFault, ExperimentFault, Fenced } from "./faults.ts";
import { originCheckpoint } from "./fork-origin.ts";
import { lastWords } from "./last-words.ts";
import { patiently } from "./patiently.ts";
import { type TakenExperiment, takeExperiment } from "./take-experiment.ts";
import { Wishes, watchRecord } from "./wishes.ts";
import type { WorkerDependencies } from "./worker-dependencies.ts";

/** How an attempt leaves its experiment: with a command for the record, or, when it is not ours any more, with none. */
interface End {
  readonly command: Extract<Command, "complete" | "fail" | "cancel" | "interrupt">;
  readonly change: Change;
}

/** Pause before the next attempt behind one that died: what ended it may be going on. */
const retryMs = 1_000;
/** How long the end of an experiment waits for its last metrics to reach the broker. */
const lastEventsMs = 30_000;

/** @param shutdown aborted when this worker is to end */
export async function runAttempt(
  piece: Pick<Piece<TrainWork>, "message" | "deliveries" | "done" | "again">,
  dependencies: WorkerDependencies,
  shutdown: AbortSignal,
): Promise<void> {
  const id = idOfExperimentName(piece.message.experiment);
  const log = dependencies.log.child({ experiment: id });
  const taken = await take({ ...dependencies, log }, id, piece.deliveries);
  if (taken === undefined) return await piece.done();
  const { attempt } = taken.claim;
  log.info({ attempt, resumesFrom: taken.claim.resumesFrom }, "attempt begins");
  const command = await lived(taken, { ...dependencies, log: log.child({ attempt }) }, shutdown);
  if (command === undefined) return; // the piece is in other hands
  if (command === "interrupt") piece.again(shutdown.aborted ? 0 : retryMs);
  else await piece.done();
}

/** @throws what kept the attempt from beginning; the record says it too, as far as it can be written */
async function take(
  dependencies: WorkerDependencies,
  id: string,
  deliveries: number,
): Promise<TakenExperiment | undefined> {
  const { experiments, log } = dependencies;
  try {
    return await takeExperiment(dependencies, id, deliveries);
  } catch (error) {
    if (error instanceof FailedPrecondition || error instanceof Aborted) {
      log.warn({ reason: messageOf(error) }, "the experiment has moved on; this piece of work is struck off");
      return undefined;
    }
    const message = `waits: the last worker that took it could not begin: ${messageOf(error)}`;
    await experiments.change(id, ({ value }) => withFields(value, { message }));
    throw error;
  }
}

/** Runs the attempt and writes down how it ended. @returns undefined when another attempt holds the experiment */
async function lived(
  taken: TakenExperiment,
  dependencies: WorkerDependencies,
  shutdown: AbortSignal,
): Promise<End["command"] | undefined> {
  const { experiments, outbox, now, log } = dependencies;
  const identity = identityOf(taken);
  const events = new AttemptEvents(identity, outbox, now);
  const wishes = new Wishes();
  const over = new AbortController();
  const stop = () => wishes.make("shutdown");
  shutdown.addEventListener("abort", stop, { once: true });
  if (shutdown.aborted) stop();
  const watching = watchRecord({ experiments, log }, identity, wishes, over.signal);
  try {
    const end = await endOf({ ...taken, dependencies, events, wishes });
    if (end === undefined) return undefined;
    await outbox
      .drained(AbortSignal.timeout(lastEventsMs))
      .catch(() => log.warn("metrics are still waiting for the broker"));
    return await writeDown(identity, end, dependencies);
  } finally {
    over.abort();
    shutdown.removeEventListener("abort", stop);
    await watching;
  }
}

async function endOf(attempt: Attempt): Promise<End | undefined> {
  const { now, log, outbox } = attempt.dependencies;
  const { wishes } = attempt;
  try {
    const { progress } = await attemptPhases({ ...attempt, resume: await beginning(attempt) });
    const trainingEndTime = timestampFromDate(now());
    await outbox.drained(wishes.signal); // COMPLETED says that everything can be read
    const message = `${progress.microStep} micro-steps, ${progress.optimizerStep} optimizer steps`;
    return { command: "complete", change: { now: now(), message, fields: { progress, trainingEndTime } } };
  } catch (error) {
    if (error instanceof Fenced || wishes.wish === "fenced") {
      log.warn({ reason: messageOf(error) }, "another attempt holds the experiment; this one stops");
      return undefined;
    }
    return endBy(error, attempt);
  }
}

/** Its own last checkpoint; of a fork that has none, its parent's; undefined: from nothing. */
async function beginning({ resume, origin, dependencies }: Attempt): Promise<Attempt["resume"]> {
  return resume ?? (origin && (await originCheckpoint(dependencies.blobs, origin)));
}

function endBy(error: unknown, { wishes, events, dependencies: { now, log } }: Attempt): End {
  const message = messageOf(error);
  const fatal = fatalReason(error);
  if (fatal !== undefined) {
    log.error({ reason: message }, "the experiment failed");
    lastWords(log, () => events.error(message));
    return { command: "fail", change: { now: now(), reason: fatal, message } };
  }
  if (wishes.wish === "cancel") {
    return { command: "cancel", change: { now: now(), reason: Reason.USER, message: "cancelled by its user" } };
  }
  if (wishes.wish === "shutdown") {
    const handedBack = "its worker was asked to stop; another attempt goes on from the last checkpoint";
    return { command: "interrupt", change: { now: now(), reason: Reason.SHUTDOWN, message: handedBack } };
  }
  const reason = error instanceof AttemptFault ? error.reason : Reason.EXIT_CODE;
  if (error instanceof AttemptFault) log.error({ reason: message }, "the attempt cannot go on");
  else log.error({ err: error }, "the attempt ended by a fault of the program");
  lastWords(log, () => events.error(message));
  return { command: "interrupt", change: { now: now(), reason, message } };
}

/** Why no attempt can complete the experiment; undefined when another one may. */
function fatalReason(error: unknown): Reason | undefined {
  if (error instanceof ExperimentFault) return error.reason;
  if (error instanceof ResourceExhausted) return Reason.OUT_OF_RESOURCES;
  return error instanceof DataLoss ? Reason.DATA_LOSS : undefined;
}

async function writeDown(
  { id, attempt }: ReturnType<typeof identityOf>,
  { command, change }: End,
  { experiments, log }: WorkerDependencies,
): Promise<End["command"] | undefined> {
  try {
    await patiently(
      () =>
        experiments.advance(id, command, change, (record) => {
          const found = experimentOf(record).attempt;
          if (found !== attempt) throw new Fenced(`attempt ${found} has begun`);
        }),
      new AbortController().signal,
    );
    log.info({ command, message: change.message }, "attempt ended");
    return command;
  } catch (error) {
    if (!(error instanceof Fenced)) throw error;
    log.warn({ reason: error.message }, "how the attempt ended is not written down: it is not the last one");
    return undefined;
  }
}
