/** The environment of the API process and of its worker, each read once at the start. */
import {
  address,
  blobStoreUrl,
  count,
  employerVariables,
  path,
  readConfig,
  serviceVariables,
  variable,
  workerVariables,
} from "@pretrain/config";

type Environment = Readonly<Record<string, string | undefined>>;

const shared = {
  ...serviceVariables,
  blobs: variable("PRETRAIN_BLOBS", blobStoreUrl),
  state: variable("PRETRAIN_STATE", path),
  dataShard: variable("PRETRAIN_DATA_SHARD", address, "127.0.0.1:7401"),
};

/** @throws InvalidArgument naming every variable that is missing or cannot be read */
export function readServiceConfig(environment: Environment) {
  const own = {
    ...employerVariables,
    grpc: variable("PRETRAIN_GRPC_ADDRESS", address, "127.0.0.1:7403"),
    http: variable("PRETRAIN_HTTP_ADDRESS", address, "127.0.0.1:7413"),
  };
  return readConfig({ ...shared, ...own }, environment);
}

/** @throws InvalidArgument naming every variable that is missing or cannot be read */
export function readWorkerConfig(environment: Environment) {
  const own = {
    ...workerVariables,
    idleMs: variable("PRETRAIN_WORKER_IDLE_MS", count(0, 86_400_000), "20000"),
    niceness: variable("PRETRAIN_EVALUATION_NICENESS", count(0, 19), "10"),
    threads: variable("PRETRAIN_EVALUATION_THREADS", count(0, 1024), "0"),
  };
  return readConfig({ ...shared, ...own }, environment);
}

/** Where the process that computes finds weights, and keeps traced functions for the next one; losing those costs a second. */
export function computingPlaces({ blobs, state }: { readonly blobs: string; readonly state: string }) {
  return { blobs, programs: `${state}/programs` };
}
