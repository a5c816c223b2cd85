/** Finds what a crash left half done, and does the other half. At every start and every half minute. */
import type { BlobStore } from "@pretrain/blobs";
import { Aborted } from "@pretrain/errors";
import type { RecordIndex } from "@pretrain/events";
import type { Log } from "@pretrain/observability";
import { Experiment_Reason as Reason, Experiment_State as State } from "@pretrain/proto";
import type { ExperimentFacts } from "../experiment/experiment-facts.ts";
import { isHeld } from "../experiment/lifecycle.ts";
import { changed, experimentOf, marked } from "../experiment/record.ts";
import type { Experiments, Found } from "./experiments.ts";
import { tendOrigin } from "./origin-holds.ts";

export interface Sweep {
  readonly experiments: Experiments;
  readonly index: RecordIndex<ExperimentFacts>;
  readonly blobs: BlobStore;
  /** Whether any piece of training is in the queue or in a worker's hands. */
  readonly hasWork: () => Promise<boolean>;
  /** Whether a worker holds the experiment's lease: it goes on though its piece is lost, and says itself how it ends. */
  readonly isLeased: (id: string) => Promise<boolean>;
  readonly now: () => Date;
  readonly log: Log;
}

/**
 * Announces and enqueues what is marked as still to be done, and lets go of parents' checkpoints. When the queue is empty
 * although experiments wait, their pieces are lost with an older state of the broker, and are made anew. Only the records with
 * something to do are read.
 *
 * @returns the facts of all experiments, as they were before
 */
export async function sweep(options: Sweep): Promise<readonly ExperimentFacts[]> {
  // Before the queue: a piece that ends meanwhile has changed its record by then.
  const all = [...(await options.index.current()).values()];
  const isQueueEmpty = !(await options.hasWork());
  for (const facts of all) {
    const orphan = isQueueEmpty && facts.hasPiece;
    if (orphan || facts.isUnsettled || mayLetGo(facts)) await doTheRest(options, facts.key, orphan);
  }
  return all;
}

/** A fork that waits has no checkpoint of its own yet. */
function mayLetGo({ holdsOrigin, state }: ExperimentFacts): boolean {
  return holdsOrigin && state !== State.QUEUED;
}

async function doTheRest(options: Sweep, id: string, orphan: boolean): Promise<void> {
  const { experiments, isLeased, now, log } = options;
  const found = await experiments.get(id);
  const current = orphan && !(await isLeased(id)) ? await revived(experiments, found, now()) : found;
  if (current === undefined) return;
  const settled = await experiments.settle(await tendOrigin(options, current));
  if (settled.revision !== found.revision)
    log.warn({ experiment: id, orphan }, "what was left undone of an experiment is done");
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
