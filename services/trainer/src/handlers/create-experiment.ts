/** A new experiment's way into the store, whatever it is made from: created once, announced, enqueued. */
import { AlreadyExists, InvalidArgument, Unavailable, type Violation } from "@pretrain/errors";
import type { Log } from "@pretrain/observability";
import type { ExperimentRecord } from "@pretrain/proto";
import { experimentName } from "@pretrain/recipe";
import { inExperiment } from "@pretrain/tracing";
import type { Experiments, Found } from "../stores/experiments.ts";

export interface AskedBy {
  readonly requestId: string;
  readonly requestSha256: string;
}

/** A repetition of the request that made the experiment gets what has become of it. @throws AlreadyExists EXPERIMENT_EXISTS */
export async function createdOrRepeated(
  experiments: Experiments,
  id: string,
  record: ExperimentRecord,
): Promise<Found> {
  try {
    return await inExperiment(id, "accept", {}, () => experiments.create(id, record));
  } catch (error) {
    if (!(error instanceof AlreadyExists)) throw error;
    const existing = await repeated(experiments, id, record);
    if (existing !== undefined) return existing;
    const name = experimentName(id);
    throw new AlreadyExists("EXPERIMENT_EXISTS", `${name} exists already; choose another experiment_id`, { name });
  }
}

/** The experiment that this very request has made before; undefined: none. */
export async function repeated(experiments: Experiments, id: string, asked: AskedBy): Promise<Found | undefined> {
  const existing = await experiments.find(id);
  if (existing === undefined || asked.requestId === "") return undefined;
  const { requestId, requestSha256 } = existing.value;
  return requestId === asked.requestId && requestSha256 === asked.requestSha256 ? existing : undefined;
}

/** The experiment is stored, and that is what the caller is told; if the broker falls silent now, the sweep does the rest. */
export async function settled(rest: () => Promise<Found>, found: Found, log: Log): Promise<Found> {
  try {
    return await rest();
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    log.warn({ experiment: found.key, reason: error.message }, "the experiment is announced and enqueued later");
    return found;
  }
}

/** What `check` returns; what it refuses is added to the faults of the request. */
export function collecting<T>(faults: Violation[], check: () => T): T | undefined {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof InvalidArgument)) throw error;
    faults.push(...error.violations);
    return undefined;
  }
}
