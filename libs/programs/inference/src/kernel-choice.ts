/** Which kernels a trace may use: our own fused ones, or tfjs's alone. */
import { fusedKernels, registerFusedKernels } from "@pretrain/fused-kernels";
import { traceBackendName } from "@pretrain/tensor-graph";
import * as tf from "@tensorflow/tfjs-core";

export type Kernels = "fused" | "plain";

/** `fused` is plain where this processor has no library of them. The registry is tfjs's, one for the process: choose before each trace. */
export function chooseKernels(kernels: Kernels): void {
  if (kernels === "fused") return void registerFusedKernels(traceBackendName);
  for (const name of Object.keys(fusedKernels)) {
    if (tf.getKernel(name, traceBackendName) !== undefined) tf.unregisterKernel(name, traceBackendName);
  }
}
