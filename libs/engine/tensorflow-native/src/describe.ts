/** What computed the numbers, as detected on this machine: for the record of an experiment. */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { backend, engine, version_core } from "@tensorflow/tfjs-core";
import { NodeJSKernelBackend } from "@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js";
import type { TensorFlowDescription } from "./environment.ts";
import { processor } from "./processor.ts";

export function describeTensorFlow(): TensorFlowDescription {
  const native = backend();
  if (!(native instanceof NodeJSKernelBackend))
    throw new Error(`the backend is ${engine().backendName}, not tensorflow`);
  return {
    tensorflowVersion: native.binding.TF_Version,
    tfjsVersion: version_core,
    device: native.isUsingGpuDevice ? "gpu" : "cpu",
    ...processor(readFileSync("/proc/cpuinfo", "utf8")),
    oneDnn: process.env["TF_ENABLE_ONEDNN_OPTS"] === "1", // set by before-loading.ts if nobody else did
    threadsWithinOperation: threads("TF_NUM_INTRAOP_THREADS"),
    threadsBetweenOperations: threads("TF_NUM_INTEROP_THREADS"),
  };
}

/** TensorFlow takes all processors if the variable is 0. */
function threads(variable: string): number {
  return Number(process.env[variable]) || availableParallelism();
}
