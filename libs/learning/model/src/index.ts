/** `model_original`: its shape, its first weights and its forward pass, as pure functions over named tensors. */
export { type Cache, type Decoded, decodeStep, newCache } from "./decode.ts";
export { expectShape } from "./expect-shape.ts";
export { initialWeights } from "./initial-weights.ts";
export { logits } from "./model.ts";
export { hiddenDimension, type ModelShape, parameterCount, parameterShapes } from "./model-shape.ts";
export type { Weights } from "./weights.ts";
export { withGradient } from "./with-gradient.ts";
