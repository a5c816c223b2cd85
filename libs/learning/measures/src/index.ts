/** What numbers mean, without tensors: whoever reads a record can compute each of them again. */

export { bitsPerByte, type ScoredText, textLoss } from "./bits-per-byte.ts";
export { bootstrapInterval } from "./bootstrap-interval.ts";
export { type GenerationRun, type GenerationStatistics, generationStatistics } from "./generation-statistics.ts";
export { addLoss, type LossTotal, meanNatsPerToken, perplexity, totalLoss, uniformNatsPerToken } from "./loss-total.ts";
export { type PairedLoss, pairedBootstrap } from "./paired-bootstrap.ts";
export { mean, percentOf, reductionPercent } from "./record-arithmetic.ts";
export type { Interval } from "./resampling.ts";
export { type RollingWindow, rollingWindows } from "./rolling-windows.ts";
