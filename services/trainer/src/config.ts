/** The environment of the service and of its worker, read once. */
import {
  address,
  blobStoreUrl,
  count,
  employerVariables,
  oneOf,
  path,
  readConfig,
  serviceVariables,
  variable,
  workerVariables,
} from "@pretrain/config";

/** @throws InvalidArgument naming every variable that is missing or cannot be read */
export function trainerConfig(environment: NodeJS.ProcessEnv) {
  return readConfig(
    {
      ...serviceVariables,
      ...employerVariables,
      ...workerVariables,
      // On how many of the broker's servers each stream is kept: 1, or 3 of a cluster of three.
      natsReplicas: variable("PRETRAIN_NATS_REPLICAS", count(1, 5), "1"),
      grpc: variable("PRETRAIN_GRPC_ADDRESS", address, "127.0.0.1:7402"),
      http: variable("PRETRAIN_HTTP_ADDRESS", address, "127.0.0.1:7412"),
      blobs: variable("PRETRAIN_BLOBS", blobStoreUrl),
      state: variable("PRETRAIN_STATE", path),
      dataShard: variable("PRETRAIN_DATA_SHARD", address, "127.0.0.1:7401"),
      // Whether the worker's folder outlives its machine. If not, a checkpoint counts only when the broker has all that led to it.
      stateKept: variable("PRETRAIN_STATE_KEPT", oneOf("yes", "no"), "yes"),
      // Longer than a piece of work takes to come back from a worker that died. 0: it looks once, and ends when there is none.
      workerIdleMs: variable("PRETRAIN_WORKER_IDLE_MS", count(0, 86_400_000), "30000"),
      // How long an experiment's worker may be silent before another one may take it.
      leaseTtlMs: variable("PRETRAIN_LEASE_TTL_MS", count(1_000, 3_600_000), "15000"),
      // How long a worker may take to end when it is asked to: what the system above waits before it kills.
      graceMs: variable("PRETRAIN_GRACE_MS", count(1_000, 3_600_000), "20000"),
      // Of a process that computes a past step again, from 0, an equal share, to 19: what training beside it leaves. By 5 it has a third
      // of what training has: somebody waits for it.
      explanationNiceness: variable("PRETRAIN_EXPLANATION_NICENESS", count(0, 19), "5"),
    },
    environment,
  );
}

/** Where the process that computes keeps traced functions for the next one; losing it costs a second. */
export function programsFolder({ state }: { readonly state: string }): string {
  return `${state}/programs`;
}

/** Longest batch that is taken from data-shard, and how long a stream of them may be silent before it is asked for anew. */
export const batchStream = { maximumResponseBytes: 80 * 1024 * 1024, streamSilenceMs: 120_000 };

/** Where a worker keeps the events that the broker does not have yet. */
export function spoolFolder({ state }: { readonly state: string }): string {
  return `${state}/spool`;
}
