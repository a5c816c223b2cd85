/**
 * The variables that TensorFlow reads while it is loaded, and what it says of itself then. This file loads nothing, so that a parent
 * can import it.
 */
import { availableParallelism } from "node:os";
import type { Processor } from "./processor.ts";

export interface TensorFlowDescription extends Processor {
  readonly tensorflowVersion: string;
  readonly tfjsVersion: string;
  /** `gpu` only if TensorFlow has found one that it can use. */
  readonly device: "cpu" | "gpu";
  /** Whether Intel's library computes the matrix products: it gives other bits than the built-in one. */
  readonly oneDnn: boolean;
  readonly threadsWithinOperation: number;
  readonly threadsBetweenOperations: number;
}

/**
 * What a parent puts into the environment of the child that computes. Thread counts are part of a result's conditions (another
 * number of threads gives other bits), so they are always written out.
 *
 * @param threads of one operation and between operations; all processors of this process by default
 */
export function tensorflowEnvironment({ threads = availableParallelism() }: { readonly threads?: number } = {}) {
  return {
    TF_NUM_INTRAOP_THREADS: String(threads),
    TF_NUM_INTEROP_THREADS: String(threads),
    TF_ENABLE_ONEDNN_OPTS: "1", // off by default on processors with AVX2 only, where it makes a step 1.5 times faster
    TF_FORCE_GPU_ALLOW_GROWTH: "true", // else the first process takes all of the GPU's memory
    TF_CPP_MIN_LOG_LEVEL: "2", // errors only; one line on oneDNN comes all the same, written before the level is read
  } as const;
}
