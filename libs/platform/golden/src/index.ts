/** Test support: the golden sets, and the comparison of numbers. */
export { assertClose, type Tolerance } from "./assert-close.ts";
export {
  type GoldenBatch,
  type GoldenConfig,
  goldenBatches,
  goldenShape,
  type ModelConfig,
} from "./golden-model.ts";
export { type GoldenKind, type GoldenSet, type GoldenTensor, type GoldenTensors, goldenSets } from "./golden-sets.ts";
export { goldenTest } from "./golden-test.ts";
export { hashedTensor } from "./hashed-tensor.ts";
