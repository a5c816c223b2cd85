/** One look at the results of an experiment: whether its training is to end now is written into its record, where its worker sees it. */
import type { BlobStore } from "@pretrain/blobs";
import { listCheckpoints, readRemoval } from "@pretrain/checkpoint";
import type { Log } from "@pretrain/observability";
import type { ExperimentRecord } from "@pretrain/proto";
import {
  type EarlyStopDecision,
  type EarlyStopping,
  earlyStop,
  earlyStopFields,
  earlyStopText,
  type MeasuredCheckpoint,
} from "../experiment/early-stopping.ts";
import { isFinal } from "../experiment/lifecycle.ts";
import { experimentOf, withFields } from "../experiment/record.ts";
import type { Experiments } from "../stores/experiments.ts";
import { readResults } from "./evaluation-results.ts";

export interface StopEarlyDependencies {
  readonly experiments: Pick<Experiments, "change" | "settle">;
  readonly blobs: BlobStore;
  readonly log: Log;
}

/**
 * The decision is made once: a later result does not take it back. A death between the result and the record leaves the
 * evaluation's event unacknowledged, and it comes again.
 */
export async function stopEarly(
  { experiments, blobs, log }: StopEarlyDependencies,
  id: string,
  rule: EarlyStopping,
): Promise<void> {
  if (rule.patience === 0) return;
  const decision = earlyStop(await measuredCheckpoints(blobs, id), rule);
  if (decision === undefined) return;
  let isNew = false;
  const found = await experiments.change(id, ({ value }) => {
    const stopped = stopping(value, id, decision);
    isNew = stopped !== undefined;
    return stopped;
  });
  await experiments.settle(found);
  if (isNew) log.info({ experiment: id }, earlyStopText(earlyStopFields(id, decision)));
}

/** Undefined where there is nothing left to stop, or it is decided. */
function stopping(record: ExperimentRecord, id: string, decision: EarlyStopDecision): ExperimentRecord | undefined {
  const { state, earlyStop: decided } = experimentOf(record);
  if (decided !== undefined || isFinal(state)) return undefined;
  const stopped = withFields(record, { earlyStop: earlyStopFields(id, decision) });
  return { ...stopped, requests: stopped.requests + 1 }; // what a broker forgets it is given back, as a user's word is
}

/** Those that count, by micro-step, also those that were removed since. */
async function measuredCheckpoints(blobs: BlobStore, id: string): Promise<MeasuredCheckpoint[]> {
  const { checkpoints, removed } = await listCheckpoints(blobs, id);
  const resultOf = await readResults(blobs, id);
  const measured = checkpoints.map((sealed) => ({ microStep: sealed.manifest.microStep, result: resultOf(sealed) }));
  for (const each of removed) {
    const known = await readRemoval(blobs, each.removal, each);
    measured.push({ microStep: each.microStep, result: known && resultOf(known) });
  }
  return measured.sort((a, b) => a.microStep - b.microStep);
}
