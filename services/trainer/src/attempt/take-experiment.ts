/**
 * Whether a piece of work becomes an attempt. The record says what is known of earlier ones:
 *
 *     final or PAUSED              nothing to do; the event may still have to be published
 *     somebody has the lease       not now
 *     PREPARING or RUNNING         its worker's lease has run out, so INTERRUPTED, and on
 *     cancellation asked for       CANCELLED
 *     pause asked for              PAUSED
 *     QUEUED or INTERRUPTED        claim a number, PREPARING
 */
import { randomUUID } from "node:crypto";
import type { BlobStore } from "@pretrain/blobs";
import {
  type AttemptClaim,
  attemptHolder,
  attemptsLimit,
  claimAttempt,
  isFenced,
  readClaim,
  releaseFencedHolds,
} from "@pretrain/checkpoint";
import { Aborted, DataLoss, FailedPrecondition, NotFound } from "@pretrain/errors";
import type { Lease, Leases } from "@pretrain/leases";
import type { Log } from "@pretrain/observability";
import {
  type ExperimentRecord,
  type Origin,
  Experiment_Reason as Reason,
  Experiment_State as State,
} from "@pretrain/proto";
import { type CompleteRecipe, canonicalRecipeJson, completeRecipe } from "@pretrain/recipe";
import { fruitlessBefore, fruitlessLimit, isFault } from "../experiment/attempt-claim.ts";
import { isHeld, needsWork } from "../experiment/lifecycle.ts";
import { experimentOf } from "../experiment/record.ts";
import type { Experiments, Found } from "../stores/experiments.ts";
import { type LastCheckpoint, lastCheckpoint } from "./last-checkpoint.ts";

export interface TakeDependencies {
  readonly experiments: Experiments;
  readonly leases: Pick<Leases, "acquire">;
  readonly worker: string;
  readonly blobs: BlobStore;
  readonly now: () => Date;
  readonly log: Log;
}

/** An attempt that is ours. */
export interface TakenExperiment extends LastCheckpoint {
  readonly claim: AttemptClaim;
  /** Kept until the attempt has ended. */
  readonly lease: Lease;
  readonly recipe: CompleteRecipe;
  readonly recipeSha256: string;
  /** Of a fork or an import. */
  readonly origin: Origin | undefined;
}

/** `nothing to do`: the piece of work is done with. `held by another`: for now; its holder may end before the experiment does. */
export type Taking = TakenExperiment | "nothing to do" | "held by another";

/** @throws FailedPrecondition, Aborted when another one was faster; what the stores throw */
export async function takeExperiment(dependencies: TakeDependencies, id: string): Promise<Taking> {
  const { experiments, leases, worker, blobs, log } = dependencies;
  const seen = await experiments.find(id);
  if (seen === undefined) {
    log.error("a piece of work names an experiment that does not exist; it is struck off");
    return "nothing to do";
  }
  if (!needsWork(experimentOf(seen.value).state)) {
    await experiments.settle(seen); // whoever ended it may have died before saying so
    return "nothing to do";
  }
  let claim: AttemptClaim | undefined;
  const isSuperseded = async () => claim !== undefined && (await isFenced(blobs, claim));
  const mark = { attempt: experimentOf(seen.value).attempt + 1, nonce: randomUUID() };
  const lease = await leases.acquire(id, { ...mark, worker, isSuperseded });
  if (lease === undefined) return "held by another";
  const ours = { ...dependencies, lease, nonce: mark.nonce };
  let taken: TakenExperiment | undefined;
  try {
    taken = await takeLeased(ours, id);
    claim = taken?.claim;
    return taken ?? "nothing to do";
  } finally {
    if (taken === undefined) await lease[Symbol.asyncDispose]();
  }
}

interface LeasedDependencies extends TakeDependencies {
  readonly lease: Lease;
  readonly nonce: string;
}

/** Nobody else does this at the same time, unless a lease was lost: then the claim decides. */
async function takeLeased(dependencies: LeasedDependencies, id: string): Promise<TakenExperiment | undefined> {
  const { experiments } = dependencies;
  let found = await experiments.settle(await experiments.get(id)); // its transitions so far come before the next one
  if (isHeld(experimentOf(found.value).state)) found = await interruptLost(dependencies, found);
  const { state, cancelRequested, pauseRequested } = experimentOf(found.value);
  if (!needsWork(state)) return undefined;
  if (cancelRequested) return await endAs("cancel", "cancelled while no worker held it", dependencies, id);
  if (pauseRequested) return await endAs("pause", "paused by its user", dependencies, id);
  return await begin(dependencies, found);
}

async function interruptLost({ experiments, now }: TakeDependencies, { key, value }: Found): Promise<Found> {
  const { attempt } = experimentOf(value);
  const message = `attempt ${attempt} let its lease run out: its worker or its machine is gone, stopped or cut off`;
  const change = { now: now(), reason: Reason.LEASE_LOST, message };
  return await experiments.advance(key, "interrupt", change, (record) => expectAttempt(record, attempt));
}

async function endAs(
  command: "cancel" | "pause",
  message: string,
  { experiments, now }: TakeDependencies,
  id: string,
): Promise<undefined> {
  await experiments.advance(id, command, { now: now(), reason: Reason.USER, message });
}

async function begin(dependencies: LeasedDependencies, found: Found): Promise<TakenExperiment | undefined> {
  const { experiments, blobs, now } = dependencies;
  const { key: id, value } = found;
  const experiment = experimentOf(value);
  const { attempt: before, recipeSha256 } = experiment;
  const recipe = completeRecipe(experiment.recipe);
  await blobs.put(`experiments/${id}/recipe.json`, new TextEncoder().encode(canonicalRecipeJson(recipe)));
  const claimed = await claimNext(dependencies, value, id);
  if (claimed === undefined) return undefined;
  const { attempt } = claimed.claim;
  await releaseFencedHolds(blobs, claimed.claim);
  dependencies.lease.isFor(attempt);
  const change = { now: now(), message: "prepares environment, data and model", fields: { attempt } };
  await experiments.advance(id, "prepare", change, (record) => expectAttempt(record, before));
  return { ...claimed, lease: dependencies.lease, recipe, recipeSha256 };
}

/**
 * Claims the number behind the last one. Where it is taken meanwhile, what was seen of the checkpoints is old: the claim that
 * was faster may go on from another one, and everything is looked at again.
 *
 * @returns undefined when the experiment was given up
 */
async function claimNext(
  dependencies: LeasedDependencies,
  record: ExperimentRecord,
  id: string,
): Promise<(LastCheckpoint & Pick<TakenExperiment, "claim" | "origin">) | undefined> {
  const { blobs, now, lease, nonce } = dependencies;
  const { attempt: before, recipeSha256, reason, origin } = experimentOf(record);
  const next = (lastAttempt: number) => Math.max(before, lastAttempt) + 1; // where one died between claim and record
  for (;;) {
    const holder = (lastAttempt: number) => attemptHolder({ attempt: next(lastAttempt), nonce });
    const last = await lastCheckpoint(blobs, id, recipeSha256, holder);
    const claim = await claimBehind(last).catch(async (error: unknown) => {
      await last.release();
      throw error;
    });
    if (claim !== "taken") return claim && { ...last, origin, claim };
    await last.release();
  }

  async function claimBehind(last: LastCheckpoint): Promise<AttemptClaim | "taken" | undefined> {
    const resumesFrom = last.resume?.manifest.microStep ?? Number(origin?.microStep ?? 0);
    const fruitless = fruitlessBefore(await previousClaim(blobs, id, before), reason, resumesFrom);
    if (fruitless >= fruitlessLimit) {
      await last.release();
      await giveUp(dependencies, record, id, resumesFrom);
      return undefined;
    }
    const attempt = next(last.lastAttempt);
    if (attempt > attemptsLimit) throw new Error(`${id} has had ${attemptsLimit} attempts`);
    const time = now().toISOString();
    const claim = { experiment: id, attempt, nonce, time, resumesFrom, fruitless };
    if (lease.standing() !== "held")
      throw new Aborted("LEASE_LOST", `${id}: its lease was lost before attempt ${attempt}`);
    return (await claimAttempt(blobs, claim)) ? claim : "taken";
  }
}

/** Undefined when there was none, or nothing can be read of it: the rule that reads it begins anew then. */
async function previousClaim(blobs: BlobStore, id: string, attempt: number): Promise<AttemptClaim | undefined> {
  try {
    return await readClaim(blobs, id, attempt);
  } catch (error) {
    if (error instanceof NotFound || error instanceof DataLoss) return undefined;
    throw error;
  }
}

async function giveUp(
  { experiments, now }: TakeDependencies,
  record: ExperimentRecord,
  id: string,
  at: number,
): Promise<void> {
  const { reason } = experimentOf(record);
  const history = lastFaults(record).join("; ");
  const message = `given up: ${fruitlessLimit} attempts in a row got no further than micro-step ${at}: ${history}`;
  // Only what was prepared can fail; a record that is QUEUED has had no attempt.
  await experiments.advance(id, "fail", { now: now(), reason, message });
}

/** How each of the last attempts ended that were fruitless, such as `attempt 3: exit code 1`. */
function lastFaults({ transitions }: ExperimentRecord): string[] {
  return transitions
    .filter(({ to, reason }) => to === State.INTERRUPTED && isFault(reason))
    .slice(-fruitlessLimit)
    .map(({ attempt, message }) => `attempt ${attempt}: ${message.slice(0, 200)}`);
}

/** Another worker that took the experiment meanwhile has raised the number. */
function expectAttempt(record: ExperimentRecord, attempt: number): void {
  const found = experimentOf(record).attempt;
  if (found === attempt) return;
  const message = `attempt ${found} has begun, ${attempt} was expected: another worker was faster`;
  throw new FailedPrecondition("ATTEMPT_TAKEN", message, { found: `${found}`, expected: `${attempt}` });
}
