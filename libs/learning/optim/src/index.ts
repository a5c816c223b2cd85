/** From losses to new weights: gradients, their accumulation, clipping, AdamW and its schedule. Knows no model's sizes. */
export {
  type AdamWFeeds,
  type AdamWNumbers,
  type AdamWSettings,
  adamW,
  adamWNumbers,
  type OptimizerSettings,
  type TrainingState,
  trainingState,
} from "./adamw.ts";
export { type Clipping, clipping } from "./clip.ts";
export { learningRate, type Schedule } from "./learning-rate.ts";
export { type LossRule, reciprocal, shareOf, weightOf } from "./loss-rule.ts";
export { accumulate, type MicroStep, microStep } from "./micro-step.ts";
export type { NamedTensors } from "./named-tensors.ts";
