/** A number of a whole run, and what all such numbers are computed from. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { BasisSchema, Interval, MemorySummary, ScoreSummary, TimeSummary } from "@pretrain/proto";
import type { EvaluatedCheckpoint } from "./checkpoint-evaluations.ts";
import type { RunSteps } from "./run-steps.ts";

export interface Measurement {
  /** At the end, or as far as the run has come. Undefined: not measured. */
  readonly final: number | undefined;
  readonly best?: { readonly value: number; readonly microStep: number; readonly epoch: number } | undefined;
  /** Of the final value, where one was computed. */
  readonly interval?: Pick<Interval, "low" | "high" | "resamples" | "seed"> | undefined;
  readonly basis: MessageInitShape<typeof BasisSchema>;
  /** Whose end decides that the number is final. */
  readonly source: "training" | "evaluation";
}

export interface MeasuredRun {
  readonly steps: RunSteps;
  readonly memory: MemorySummary;
  readonly time: TimeSummary;
  readonly checkpoints: readonly EvaluatedCheckpoint[];
  /** Points for the generated text. Undefined: nobody has given any. */
  readonly quality: ScoreSummary | undefined;
}
