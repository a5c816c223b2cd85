/** What computed the numbers, as detected on this machine: for the record of an experiment. */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { backend, engine, version_core } from "@tensorflow/tfjs-core";
import { NodeJSKernelBackend } from "@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js";

export interface TensorFlowDescription {
  readonly tensorflowVersion: string;
  readonly tfjsVersion: string;
  readonly device: "cpu" | "gpu";
  readonly cpuModel: string;
  /** Those of the processor's extensions that decide how fast which precision is, in the kernel's spelling. */
  readonly cpuFeatures: readonly string[];
  readonly oneDnn: boolean;
  readonly threadsWithinOperation: number;
  readonly threadsBetweenOperations: number;
}

export function describeTensorFlow(): TensorFlowDescription {
  const native = backend();
  if (!(native instanceof NodeJSKernelBackend))
    throw new Error(`the backend is ${engine().backendName}, not tensorflow`);
  return {
    tensorflowVersion: native.binding.TF_Version,
    tfjsVersion: version_core,
    device: native.isUsingGpuDevice ? "gpu" : "cpu",
    ...processor(readFileSync("/proc/cpuinfo", "utf8")),
    oneDnn: process.env["TF_ENABLE_ONEDNN_OPTS"] !== "0",
    threadsWithinOperation: threads("TF_NUM_INTRAOP_THREADS"),
    threadsBetweenOperations: threads("TF_NUM_INTEROP_THREADS"),
  };
}

/** @param cpuinfo the text of /proc/cpuinfo, of which the first processor is read */
export function processor(cpuinfo: string): Pick<TensorFlowDescription, "cpuModel" | "cpuFeatures"> {
  const value = (name: string) => new RegExp(`^${name}\\s*:\\s*(.*)$`, "m").exec(cpuinfo)?.[1] ?? "";
  const flags = new Set(value("flags").split(" "));
  return {
    cpuModel: value("model name") || "unknown",
    cpuFeatures: decisiveFeatures.filter((name) => flags.has(name)),
  };
}

const decisiveFeatures = [
  "avx2",
  "fma",
  "avx_vnni",
  "avx512f",
  "avx512_vnni",
  "avx512_bf16",
  "amx_tile",
  "amx_int8",
  "amx_bf16",
];

/** TensorFlow takes all processors if the variable is 0. */
function threads(variable: string): number {
  return Number(process.env[variable]) || availableParallelism();
}
