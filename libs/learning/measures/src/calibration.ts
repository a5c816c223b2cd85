/** How well a model's confidence fits its success: of predictions with a probability of 0.7, 7 in 10 should come true. */

/** Predictions whose confidence lies in (low, high]; 0 lies in the first bin. */
export interface CalibrationBin {
  readonly low: number;
  readonly high: number;
  readonly tokens: number;
  readonly confidenceSum: number;
  /** How many came true. */
  readonly correct: number;
}

/** One entry for each prediction. */
export interface Predictions {
  /** Probability of the likeliest token. */
  readonly confidence: ArrayLike<number>;
  /** 1 where it came true, else 0. */
  readonly top1: ArrayLike<number>;
}

const bins = 15;

/** Bins of equal width from 0 to 1, 15 as in the paper, empty ones too. Source: Guo et al. 2017, arxiv.org/abs/1706.04599, section 2. */
export function calibrationBins(rows: Iterable<Predictions>): CalibrationBin[] {
  const sums = Array.from({ length: bins }, () => ({ tokens: 0, confidenceSum: 0, correct: 0 }));
  for (const { confidence, top1 } of rows) {
    for (let index = 0; index < confidence.length; index += 1) {
      const value = confidence[index] ?? Number.NaN;
      const sum = sums[Math.min(Math.max(Math.ceil(value * bins) - 1, 0), bins - 1)]; // rounding can leave a trifle above 1
      if (sum === undefined) throw new RangeError(`a confidence of ${value}`);
      sum.tokens += 1;
      sum.confidenceSum += value;
      sum.correct += top1[index] ?? 0;
    }
  }
  return sums.map((sum, bin) => ({ low: bin / bins, high: (bin + 1) / bins, ...sum }));
}

/**
 * Expected calibration error: the mean over bins of |accuracy - mean confidence|, each weighed by its share of the predictions, which is
 * Σ |correct - confidenceSum| / Σ tokens. `undefined` without predictions.
 */
export function expectedCalibrationError(found: readonly CalibrationBin[]): number | undefined {
  const tokens = found.reduce((sum, bin) => sum + bin.tokens, 0);
  const off = found.reduce((sum, { correct, confidenceSum }) => sum + Math.abs(correct - confidenceSum), 0);
  return tokens === 0 ? undefined : off / tokens;
}

/** Share of the predictions whose likeliest token came; `undefined` without predictions. */
export function top1Accuracy(found: readonly CalibrationBin[]): number | undefined {
  const tokens = found.reduce((sum, bin) => sum + bin.tokens, 0);
  return tokens === 0 ? undefined : found.reduce((sum, { correct }) => sum + correct, 0) / tokens;
}
