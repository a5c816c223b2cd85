/** Finds what a crash left half done, and does the other half. At every start and every half minute. */
import { Aborted } from "@pretrain/errors";
import type { Log } from "@pretrain/observability";
import { type ExperimentRecord, Experiment_Reason as Reason } from "@pretrain/proto";
import { isHeld, needsWork } from "../experiment/lifecycle.ts";
import { changed, experimentOf, marked } from "../experiment/record.ts";
import { type Experiments, type Found, isUnsettled } from "./experiments.ts";

export interface Sweep {
  readonly experiments: Experiments;
  /** Whether any piece of training is in the queue or in a worker's hands. */
  readonly hasWork: () => Promise<boolean>;
  readonly now: () => Date;
  readonly log: Log;
}

/**
 * Announces and enqueues what is marked as still to be done. When the queue is empty although experiments wait, their
 * pieces are lost with an older state of the broker, and are made anew.
 *
 * @returns all experiments, as they were before
 */
export async function sweep({ experiments, hasWork, now, log }: Sweep): Promise<Found[]> {
  const all = await experiments.list(); // before the queue: a piece that ends meanwhile has changed its record by then
  const isQueueEmpty = !(await hasWork());
  for (const found of all) {
    const orphan = isQueueEmpty && isOrphan(found.value);
    if (!orphan && !isUnsettled(found.value)) continue;
    const current = orphan ? await revived(experiments, found, now()) : found;
    if (current === undefined) continue;
    await experiments.settle(current);
    log.warn({ experiment: found.key, orphan }, "what was left undone of an experiment is done");
  }
  return all;
}

function isOrphan(record: ExperimentRecord): boolean {
  return record.enqueued && needsWork(experimentOf(record).state);
}

/** The record with its work to be enqueued again; undefined when somebody has changed it meanwhile. */
async function revived(experiments: Experiments, found: Found, now: Date): Promise<Found | undefined> {
  const message = "its piece of work was lost; it waits for a worker again";
  const value = isHeld(experimentOf(found.value).state)
    ? changed(found.value, "interrupt", { now, reason: Reason.WORKER_LOST, message })
    : found.value;
  try {
    return await experiments.update(found, marked(value, { enqueued: false }));
  } catch (error) {
    if (error instanceof Aborted) return undefined;
    throw error;
  }
}
