/** What numbers mean, without tensors: whoever reads a record can compute each of them again. */

export { bitsPerByte, bitsPerCharacter, charactersBegun, type ScoredText, textLoss } from "./bits-per-byte.ts";
export { corpusBleu } from "./bleu.ts";
export { bootstrapInterval } from "./bootstrap-interval.ts";
export {
  type CalibrationBin,
  calibrationBins,
  expectedCalibrationError,
  type Predictions,
  top1Accuracy,
} from "./calibration.ts";
export { corpusChrf } from "./chrf.ts";
export { type GenerationRun, type GenerationStatistics, generationStatistics } from "./generation-statistics.ts";
export { type BucketRange, countRange, type LossBucket, LossBuckets, positionRange } from "./loss-buckets.ts";
export { addLoss, type LossTotal, meanNatsPerToken, perplexity, totalLoss, uniformNatsPerToken } from "./loss-total.ts";
export { type PairedLoss, pairedBootstrap } from "./paired-bootstrap.ts";
export { mean, percentOf, reductionPercent } from "./record-arithmetic.ts";
export type { Interval } from "./resampling.ts";
export { type RollingWindow, rollingWindows, type ScoringWindow } from "./rolling-windows.ts";
export { type RunCount, runCounts } from "./run-counts.ts";
export type { TextPair } from "./text-pairs.ts";
export { type WordRule, wordRuleFor } from "./words.ts";
