/** From losses to new weights: gradients, their accumulation, clipping, AdamW and its schedule. Knows no model. */
export { type Accumulator, accumulate, emptyAccumulator, type LossRule } from "./accumulate.ts";
export {
  type AdamWFeeds,
  type AdamWSettings,
  adamW,
  adamWNumbers,
  type TrainingState,
  trainingState,
} from "./adamw.ts";
export { type Clipping, clipping, globalNorm } from "./clip.ts";
export { learningRate, type Schedule } from "./learning-rate.ts";
export { addMicroSteps, type MicroStep, microStep } from "./micro-step.ts";
export type { NamedTensors } from "./named-tensors.ts";
export { type OptimizerSettings, optimizerStep } from "./optimizer-step.ts";
