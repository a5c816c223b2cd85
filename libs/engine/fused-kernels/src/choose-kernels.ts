/** Which kernels a trace may use: our own fused ones, or tfjs's alone. */
import { declarePlacements, traceBackendName } from "@pretrain/tensor-graph";
import * as tf from "@tensorflow/tfjs-core";
import { type FusedKernel, fusedKernels } from "./kernels.ts";
import { registerFusedKernels } from "./register.ts";

export type Kernels = "fused" | "plain";

/** `fused` is plain where this processor has no library of them. The registry is tfjs's, one for the process: choose before each trace. */
export function chooseKernels(kernels: Kernels): void {
  if (kernels === "fused") {
    registerFusedKernels(traceBackendName);
    declarePlacements(keptInBfloat16);
    return;
  }
  for (const name of Object.keys(fusedKernels)) {
    if (tf.getKernel(name, traceBackendName) !== undefined) tf.unregisterKernel(name, traceBackendName);
  }
}

/** They compute in float32 whatever they store: what a matrix product gave them in bfloat16 may stay so. */
const keptInBfloat16 = Object.fromEntries(
  Object.values<FusedKernel>(fusedKernels)
    .filter(({ stored }) => stored.length > 0)
    .map(({ operation }) => [operation, "keep" as const]),
);
