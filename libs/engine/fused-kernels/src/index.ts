/**
 * TensorFlow operations of our own, in C++, for what a plain graph does slowly: passes over memory that could be one. Each has the
 * plain graph as its reference and, where no library fits the processor, as its fallback.
 */
export { chooseKernels, type Kernels } from "./choose-kernels.ts";
export { type FusedKernel, type FusedKernelName, fusedKernels } from "./kernels.ts";
export { registerFusedKernels } from "./register.ts";
