/** One update of the weights. */
import type * as tf from "@tensorflow/tfjs-core";
import type { Accumulator } from "./accumulate.ts";
import { type AdamWFeeds, type AdamWSettings, adamW, type TrainingState } from "./adamw.ts";
import { clipping } from "./clip.ts";

export interface OptimizerSettings {
  readonly adamW: AdamWSettings;
  /** Largest global norm of the gradients. */
  readonly maxGradientNorm: number;
}

export type OptimizerStep = {
  readonly state: TrainingState;
  /** Before clipping. */
  readonly gradientNorm: tf.Scalar;
  /** 1 when nothing was clipped. */
  readonly clipScale: tf.Scalar;
};

/** Mean of the accumulated gradients, clipped, then AdamW. Changes nothing: the answer holds the new state. */
export function optimizerStep(
  state: TrainingState,
  accumulator: Accumulator,
  feeds: AdamWFeeds,
  settings: OptimizerSettings,
): OptimizerStep {
  const { norm, clipScale, gradientScale } = clipping(accumulator, settings.maxGradientNorm);
  const next = adamW(state, accumulator.gradients, gradientScale, feeds, settings.adamW);
  return { state: next, gradientNorm: norm, clipScale };
}
