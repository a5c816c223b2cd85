/** Stores the experiment and answers; the work waits in the queue, whatever becomes of the caller. */
import type { BlobStore } from "@pretrain/blobs";
import { AlreadyExists, InvalidArgument, Unavailable, type Violation } from "@pretrain/errors";
import type { Log } from "@pretrain/observability";
import type { Experiment, ExperimentRecord, StartExperimentRequest } from "@pretrain/proto";
import { type CompleteRecipe, completeRecipe, experimentId, experimentName } from "@pretrain/recipe";
import { queued, resourceOf } from "../experiment/record.ts";
import { startRequestSha256 } from "../experiment/start-request.ts";
import type { Experiments, Found } from "../stores/experiments.ts";
import { claimRequestId } from "../stores/request-claims.ts";

export interface Dependencies {
  readonly experiments: Experiments;
  readonly blobs: BlobStore;
  readonly now: () => Date;
  readonly log: Log;
  /** Says that there is work, so that nobody has to look for it. */
  readonly wake: () => void;
}

export const startExperiment =
  ({ experiments, blobs, now, log, wake }: Dependencies) =>
  async (request: StartExperimentRequest): Promise<Experiment> => {
    const { id, recipe } = checked(request);
    const requestSha256 = startRequestSha256(request);
    const { requestId, experimentId: title, priority } = request;
    if (requestId !== "") await claimRequestId(blobs, requestId, requestSha256);
    const record = queued({ id, title, recipe, requestId, requestSha256, priority }, now());
    const found = await settled(experiments, await createdOrRepeated(experiments, id, record), log);
    wake();
    return resourceOf(found.value, found.revision);
  };

/** @throws InvalidArgument naming the faults of id and recipe together */
function checked({ experimentId: spelling, recipe }: StartExperimentRequest): { id: string; recipe: CompleteRecipe } {
  const faults: Violation[] = [];
  const id = collecting(faults, () => experimentId(spelling));
  const complete = collecting(faults, () => completeRecipe(recipe));
  if (id !== undefined && complete !== undefined) return { id, recipe: complete };
  const [first, ...rest] = faults;
  throw first === undefined
    ? new Error("a request was refused without a reason")
    : new InvalidArgument([first, ...rest]);
}

function collecting<T>(faults: Violation[], check: () => T): T | undefined {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof InvalidArgument)) throw error;
    faults.push(...error.violations);
    return undefined;
  }
}

/** A repetition of the request that made the experiment gets what has become of it. */
async function createdOrRepeated(experiments: Experiments, id: string, record: ExperimentRecord): Promise<Found> {
  try {
    return await experiments.create(id, record);
  } catch (error) {
    if (!(error instanceof AlreadyExists)) throw error;
    const existing = await experiments.get(id);
    const { requestId, requestSha256 } = existing.value;
    if (requestId !== "" && requestId === record.requestId && requestSha256 === record.requestSha256) return existing;
    const name = experimentName(id);
    throw new AlreadyExists("EXPERIMENT_EXISTS", `${name} exists already; choose another experiment_id`, { name });
  }
}

/** The experiment is stored, and that is what the caller is told; if the broker falls silent now, the sweep does the rest. */
async function settled(experiments: Experiments, found: Found, log: Log): Promise<Found> {
  try {
    return await experiments.settle(found);
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    log.warn({ experiment: found.key, reason: error.message }, "the experiment is announced and enqueued later");
    return found;
  }
}
