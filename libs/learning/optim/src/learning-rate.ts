/** The learning rate of each optimizer step. */

export interface Schedule {
  readonly kind: "cosine_to_zero" | "constant";
  readonly peak: number;
  /** Steps that lead up to the peak. */
  readonly warmupSteps: number;
  /** Optimizer steps of the run, warm-up included. */
  readonly totalSteps: number;
}

/**
 * A line up to the peak, then half a cosine that would be 0 at step `totalSteps`, or the peak for ever. With n warm-up
 * steps the first one has peak / (n + 1) and step n the peak; without them step 0 has the peak.
 *
 * @param optimizerStep from 0
 */
export function learningRate({ kind, peak, warmupSteps, totalSteps }: Schedule, optimizerStep: number): number {
  if (optimizerStep < warmupSteps) return (peak * (optimizerStep + 1)) / (warmupSteps + 1);
  if (kind === "constant") return peak;
  if (optimizerStep >= totalSteps) return 0;
  const done = (optimizerStep - warmupSteps) / (totalSteps - warmupSteps);
  return 0.5 * peak * (1 + Math.cos(Math.PI * done));
}
