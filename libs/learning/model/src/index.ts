/** `model_original`: its shape, its first weights and its forward pass, as pure functions over named tensors. */
export { type Cache, cacheShape, type Decoded, type DecodeStep, decodeStep, newCache } from "./decode.ts";
export { expectShape } from "./expect-shape.ts";
export { initialWeights } from "./initial-weights.ts";
export { after, hasKernel, runKernel } from "./kernels.ts";
export { inputGradient, linear, weightGradient } from "./linear.ts";
export { logits, type Predictions, predictions } from "./model.ts";
export { hiddenDimension, type ModelShape, parameterCount, parameterShapes } from "./model-shape.ts";
export type { Weights } from "./weights.ts";
export { withGradient } from "./with-gradient.ts";
