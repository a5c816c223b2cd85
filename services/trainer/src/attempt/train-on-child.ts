/** The parent's side of the training loop: batches in, steps and checkpoints out, until the child says that it has stopped. */
import type { BlobStore } from "@pretrain/blobs";
import { type CheckpointManifest, type SealedCheckpoint, sealCheckpoint } from "@pretrain/checkpoint";
import { type StepPlan, totals } from "../experiment/step-plan.ts";
import type { Batch, FromChild, Step } from "../worker/protocol.ts";
import type { AttemptEvents } from "./attempt-events.ts";
import type { ComputingProcess } from "./computing-process.ts";
import { Fenced, Stopped } from "./faults.ts";
import type { Outbox } from "./outbox.ts";
import { Profile } from "./profile.ts";
import type { RightToWrite } from "./right-to-write.ts";
import { errorOf, Sequence } from "./sequence.ts";
import type { Patience } from "./silence.ts";
import { Slots } from "./slots.ts";
import type { Wish, Wishes } from "./wishes.ts";

export interface TrainingOnChild {
  readonly child: ComputingProcess;
  readonly plan: StepPlan;
  /** Micro-steps done before. */
  readonly startMicroStep: number;
  /** Micro-steps between samples; 0: none are taken. */
  readonly profileInterval: number;
  readonly batches: (signal: AbortSignal) => AsyncIterable<Batch>;
  readonly blobs: BlobStore;
  readonly outbox: Outbox;
  /** Whether the outbox's disk outlives this machine. */
  readonly isStateKept: boolean;
  readonly events: AttemptEvents;
  readonly wishes: Wishes;
  readonly right: RightToWrite;
  readonly onStep: (step: Step) => void;
  readonly onCheckpoint: (sealed: SealedCheckpoint) => void;
  readonly now: () => Date;
}

/** The child computes one batch while the next one waits there. */
const batchesAhead = 2;
/** The first step of a large model on a slow machine may take long; each other one is measured against the slowest so far. */
const patienceWithFirst: Patience = { restingMs: 2 * 60_000, busyMs: 60 * 60_000 };

/**
 * Resolves when every micro-step is done, or as many as the wish to finish leaves, and the last checkpoint is sealed.
 *
 * @throws Stopped when a wish ended it before; Fenced; ExperimentFault; AttemptFault
 */
export async function trainOnChild(training: TrainingOnChild): Promise<void> {
  const { child, wishes } = training;
  const feeding = new AbortController();
  const slots = new Slots(batchesAhead);
  wishes.onWish((wish) => void passOn(wish, child, feeding));
  const fed = feed(training, slots, feeding.signal).catch((error: unknown) => {
    if (!feeding.signal.aborted) child.interrupt(errorOf(error));
  });
  try {
    await listen(training, slots);
  } finally {
    feeding.abort();
    slots.close();
    await fed;
  }
}

/** Makes the child stop as was wished. */
async function passOn(wish: Wish, child: ComputingProcess, feeding: AbortController): Promise<void> {
  if (wish === "fenced") return child.interrupt(new Fenced("another attempt holds the experiment"));
  if (wish === "abandon") return child.interrupt(new Stopped("the step takes longer than the worker may take to end"));
  if (wish === "cancel") feeding.abort();
  await child.send({ kind: "stop", at: wish === "cancel" ? "now" : "at_checkpoint" });
}

async function feed({ child, right, batches }: TrainingOnChild, slots: Slots, signal: AbortSignal): Promise<void> {
  for await (const batch of batches(signal)) {
    await slots.free();
    if (signal.aborted) return;
    await right.check(); // what is computed of it may be a checkpoint's bytes
    slots.take(); // only now: whoever has no batch may be silent for as long as the check takes
    await child.send({ kind: "batch", ...batch });
  }
}

async function listen(training: TrainingOnChild, slots: Slots): Promise<void> {
  const { child, plan } = training;
  const last = totals(plan).microSteps;
  const sealing = new Sequence((error) => child.interrupt(error));
  let done = training.startMicroStep;
  let slowestMs: number | undefined;
  const profile = new Profile();
  try {
    for (;;) {
      const isIdle = () => slots.taken === 0 && done < last; // it waits for batches: its silence means nothing
      const message = await child.next(() => (isIdle() ? undefined : patienceWith(slowestMs)));
      if (message.kind === "step") {
        await report(training, message, profile);
        // Not the first one, which traces: it says nothing of the others.
        if (done > training.startMicroStep) slowestMs = Math.max(slowestMs ?? 0, message.times.totalMs);
        done = message.microStep;
        slots.give();
      } else if (message.kind === "save_due") {
        await training.right.check();
        await child.send({ kind: "save" });
      } else if (message.kind === "checkpoint") sealing.add(() => seal(training, message, last));
      else if (message.kind === "stopped") break;
      else if (message.kind !== "writing") throw new Error(`the computing process said ${message.kind} while training`);
    }
  } finally {
    await sealing.ended();
  }
  if (done < last && training.wishes.wish !== "finish") throw new Stopped(`stopped behind micro-step ${done}`);
}

function patienceWith(slowestMs: number | undefined): Patience {
  if (slowestMs === undefined) return patienceWithFirst;
  return { restingMs: 3 * slowestMs + 10_000, busyMs: Math.max(2 * 60_000, 10 * slowestMs) };
}

async function report(training: TrainingOnChild, step: Step, profile: Profile): Promise<void> {
  const { events, onStep, profileInterval, outbox, wishes, right } = training;
  await right.check();
  events.stepDone(step);
  if (step.memory !== undefined) events.memorySampled(step, step.memory);
  profile.add(step);
  if (profileInterval > 0 && step.microStep % profileInterval === 0) events.profiled(step, profile.take());
  onStep(step);
  await outbox.roomy(wishes.signal);
}

/**
 * Makes a written checkpoint exist. Its steps are kept before it, on the disk, or with the broker where the disk goes with the machine:
 * neither a power cut nor a machine that vanishes may leave a checkpoint behind whose steps nobody ever hears of, since they would
 * not be computed again.
 */
async function seal(
  { right, blobs, outbox, isStateKept, wishes, events, onCheckpoint, now }: TrainingOnChild,
  { parts, state, writeSeconds }: Extract<FromChild, { kind: "checkpoint" }>,
  last: number,
): Promise<void> {
  await outbox.flush();
  if (!isStateKept) await outbox.acknowledged(untilGivenUp(wishes)); // in the order of checkpoints; training goes on
  await right.check();
  await right.checkClaims();
  const { experiment, microStep, optimizerStep, epoch, tokensSeen, attempt, attemptNonce, recipeSha256, dataset } =
    state;
  const manifest: CheckpointManifest = {
    experiment,
    microStep,
    optimizerStep,
    epoch,
    tokensSeen,
    attempt,
    attemptNonce,
    final: microStep === last,
    createTime: now().toISOString(),
    writeSeconds,
    recipeSha256,
    dataset,
    parts,
  };
  const sealed = await sealCheckpoint(blobs, manifest);
  events.checkpointWritten(sealed);
  onCheckpoint(sealed);
}

/** Aborted when the attempt may wait for nothing any more. */
function untilGivenUp(wishes: Wishes): AbortSignal {
  const waiting = new AbortController();
  wishes.onWish((wish) => {
    if (wish === "abandon" || wish === "fenced") waiting.abort(new Stopped("the broker was away until the end"));
  });
  return waiting.signal;
}
