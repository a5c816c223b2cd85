/**
 * Whether a piece of work becomes an attempt. The record says what is known of earlier ones:
 *
 *     final                        nothing to do; the event may still have to be published
 *     PREPARING or RUNNING         delivered before: its worker is gone, so INTERRUPTED, and on
 *                                  delivered the first time: a second piece for what somebody else is doing
 *     cancellation asked for       CANCELLED
 *     QUEUED or INTERRUPTED        claim a number, PREPARING
 */
import { randomUUID } from "node:crypto";
import type { BlobStore } from "@pretrain/blobs";
import { type AttemptClaim, attemptsLimit, claimAttempt, readClaim } from "@pretrain/checkpoint";
import { DataLoss, FailedPrecondition, NotFound } from "@pretrain/errors";
import type { Log } from "@pretrain/observability";
import { type ExperimentRecord, type Origin, Experiment_Reason as Reason } from "@pretrain/proto";
import { type CompleteRecipe, canonicalRecipeJson, completeRecipe } from "@pretrain/recipe";
import { fruitlessBefore, fruitlessLimit } from "../experiment/attempt-claim.ts";
import { isFinal, isHeld } from "../experiment/lifecycle.ts";
import { experimentOf } from "../experiment/record.ts";
import type { Experiments, Found } from "../stores/experiments.ts";
import { type LastCheckpoint, lastCheckpoint } from "./last-checkpoint.ts";

export interface TakeDependencies {
  readonly experiments: Experiments;
  readonly blobs: BlobStore;
  readonly now: () => Date;
  readonly log: Log;
}

/** An attempt that is ours. */
export interface TakenExperiment extends LastCheckpoint {
  readonly claim: AttemptClaim;
  readonly recipe: CompleteRecipe;
  readonly recipeSha256: string;
  /** Of a fork. */
  readonly origin: Origin | undefined;
}

/** Undefined when the piece of work is done with. @param deliveries how often the piece was handed out */
export async function takeExperiment(
  dependencies: TakeDependencies,
  id: string,
  deliveries: number,
): Promise<TakenExperiment | undefined> {
  const { experiments, log } = dependencies;
  let found = await experiments.find(id);
  if (found === undefined) {
    log.error("a piece of work names an experiment that does not exist; it is struck off");
    return undefined;
  }
  found = await experiments.settle(found); // its transitions so far come before the next one
  const { state } = experimentOf(found.value);
  if (isFinal(state)) return undefined;
  if (isHeld(state)) {
    if (deliveries === 1) {
      log.warn("a second piece of work for an experiment that a worker holds is struck off");
      return undefined;
    }
    found = await interruptLost(dependencies, found);
  }
  if (experimentOf(found.value).cancelRequested) {
    await cancel(dependencies, id);
    return undefined;
  }
  return await begin(dependencies, found);
}

async function interruptLost({ experiments, now }: TakeDependencies, { key, value }: Found): Promise<Found> {
  const { attempt } = experimentOf(value);
  const message = `attempt ${attempt} fell silent: its worker or its machine is gone`;
  const change = { now: now(), reason: Reason.WORKER_LOST, message };
  return await experiments.advance(key, "interrupt", change, (record) => expectAttempt(record, attempt));
}

async function cancel({ experiments, now }: TakeDependencies, id: string): Promise<void> {
  const message = "cancelled while no worker held it";
  await experiments.advance(id, "cancel", { now: now(), reason: Reason.USER, message });
}

async function begin(dependencies: TakeDependencies, found: Found): Promise<TakenExperiment | undefined> {
  const { experiments, blobs, now } = dependencies;
  const { key: id, value } = found;
  const experiment = experimentOf(value);
  const { attempt: before, recipeSha256 } = experiment;
  const recipe = completeRecipe(experiment.recipe);
  await blobs.put(`experiments/${id}/recipe.json`, new TextEncoder().encode(canonicalRecipeJson(recipe)));
  const claimed = await claimNext(dependencies, value, id);
  if (claimed === undefined) return undefined;
  const { attempt } = claimed.claim;
  const change = { now: now(), message: "prepares environment, data and model", fields: { attempt } };
  await experiments.advance(id, "prepare", change, (record) => expectAttempt(record, before));
  return { ...claimed, recipe, recipeSha256 };
}

/**
 * Claims the number behind the last one. Where it is taken meanwhile, what was seen of the checkpoints is old: the claim that
 * was faster may go on from another one, and everything is looked at again.
 *
 * @returns undefined when the experiment was given up
 */
async function claimNext(
  dependencies: TakeDependencies,
  record: ExperimentRecord,
  id: string,
): Promise<(LastCheckpoint & Pick<TakenExperiment, "claim" | "origin">) | undefined> {
  const { blobs, now } = dependencies;
  const { attempt: before, recipeSha256, reason, origin } = experimentOf(record);
  for (;;) {
    const last = await lastCheckpoint(blobs, id, recipeSha256);
    const resumesFrom = last.resume?.manifest.microStep ?? Number(origin?.microStep ?? 0);
    const fruitless = fruitlessBefore(await previousClaim(blobs, id, before), reason, resumesFrom);
    if (fruitless >= fruitlessLimit) {
      await giveUp(dependencies, record, id, resumesFrom);
      return undefined;
    }
    // More than one above the record's where an attempt died between its claim and its record.
    const attempt = Math.max(before, last.lastAttempt) + 1;
    if (attempt > attemptsLimit) throw new Error(`${id} has had ${attemptsLimit} attempts`);
    const time = now().toISOString();
    const claim = { experiment: id, attempt, nonce: randomUUID(), time, resumesFrom, fruitless };
    if (await claimAttempt(blobs, claim)) return { ...last, origin, claim };
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
  const { reason, message: last } = experimentOf(record);
  const message = `given up: ${fruitlessLimit} attempts in a row got no further than micro-step ${at}; the last one: ${last}`;
  // Only what was prepared can fail; a record that is QUEUED has had no attempt.
  await experiments.advance(id, "fail", { now: now(), reason, message });
}

/** Another worker that took the experiment meanwhile has raised the number. */
function expectAttempt(record: ExperimentRecord, attempt: number): void {
  const found = experimentOf(record).attempt;
  if (found === attempt) return;
  const message = `attempt ${found} has begun, ${attempt} was expected: another worker was faster`;
  throw new FailedPrecondition("ATTEMPT_TAKEN", message, { found: `${found}`, expected: `${attempt}` });
}
