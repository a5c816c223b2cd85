/** What a service and its workers are told of each other: who starts them, what they compute on, and when they end. */
import { variable } from "./read-config.ts";
import { count, label, oneOf, optional } from "./value-kinds.ts";

/** Of a service that has workers. */
export const employerVariables = {
  /** `own`: the service starts its worker as its child. `elsewhere`: somebody else does, such as a scaler of a cluster. */
  workers: variable("PRETRAIN_WORKERS", oneOf("own", "elsewhere"), "own"),
};

/** Of a worker, whoever has started it. */
export const workerVariables = {
  /** What others call it, such as the name of its pod; without one its process id has to do. */
  worker: variable("PRETRAIN_WORKER_NAME", optional(label), ""),
  /** What it is to compute on: a worker that was promised a GPU leaves its work to others where there is none. */
  device: variable("PRETRAIN_TENSORFLOW", oneOf("cpu", "gpu"), "cpu"),
  /** How much of its GPU's memory must be free before it takes work; 0: that is not asked, since others may share the GPU. */
  gpuFreePercent: variable("PRETRAIN_GPU_FREE_PERCENT", count(0, 100), "0"),
};
