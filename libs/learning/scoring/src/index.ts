/** How predictions are scored, and how a model is let speak. */
export { type GenerationLimits, generate, type NextToken, type StopReason } from "./generate.ts";
export { generatedText, type TextEnd, type TextStep } from "./generated-text.ts";
export { type GreedyDecoder, greedyDecoder } from "./greedy-decoder.ts";
export {
  countsOfLengths,
  type LossSum,
  type NextTokenScores,
  nextTokenLoss,
  nextTokenLosses,
  nextTokenScores,
} from "./next-token-loss.ts";
export { predictionLosses, predictionSlice } from "./prediction-slice.ts";
export { likeliest, NotFiniteScore, type Sampling, sampled, type TokenChoice } from "./token-choice.ts";
