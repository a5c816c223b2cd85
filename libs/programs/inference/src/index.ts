/** Scoring and decoding as traced functions over one set of weights on the device. */
export type { Decoder } from "./decoder.ts";
export {
  InferenceProgram,
  type InferenceProgramOptions,
  type ScoredShape,
  tracedSources,
} from "./inference-program.ts";
export type { RowScores } from "./row-scores.ts";
