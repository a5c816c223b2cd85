/** What a service and its workers are told of each other: who starts them, what they compute on, and when they end. */
import { variable } from "./read-config.ts";
import { count, label, oneOf, optional, path } from "./value-kinds.ts";

/** Of a service that has workers. */
export const employerVariables = {
  /** `own`: the service starts its worker as its child. `elsewhere`: somebody else does, such as a scaler of a cluster. */
  workers: variable("PRETRAIN_WORKERS", oneOf("own", "elsewhere"), "own"),
  /** Folder of the certificate of a worker that it starts itself: the broker allows the two different things. Its own if not given. */
  workerTls: variable("PRETRAIN_WORKER_TLS", optional(path), ""),
};

/** What a service gives a worker that it starts: its own environment, but for who the worker is. */
export function environmentOfWorker(
  environment: Readonly<Record<string, string | undefined>>,
  { workerTls }: { readonly workerTls: string | undefined },
): Record<string, string | undefined> {
  return workerTls === undefined ? { ...environment } : { ...environment, PRETRAIN_TLS: workerTls };
}

/** Of a worker, whoever has started it. */
export const workerVariables = {
  /** What others call it, such as the name of its pod; without one its process id has to do. */
  worker: variable("PRETRAIN_WORKER_NAME", optional(label), ""),
  /** What it is to compute on: a worker that was promised a GPU leaves its work to others where there is none. */
  device: variable("PRETRAIN_TENSORFLOW", oneOf("cpu", "gpu"), "cpu"),
  /** How much of its GPU's memory must be free before it takes work; 0: that is not asked, since others may share the GPU. */
  gpuFreePercent: variable("PRETRAIN_GPU_FREE_PERCENT", count(0, 100), "0"),
};
