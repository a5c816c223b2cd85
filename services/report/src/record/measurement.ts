/** A number of a whole run, and what all such numbers are computed from. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { BasisSchema, MemorySummary, TimeSummary } from "@pretrain/proto";
import type { EvaluatedCheckpoint } from "./checkpoint-evaluations.ts";
import type { RunSteps } from "./run-steps.ts";

export interface Measurement {
  /** At the end, or as far as the run has come. Undefined: not measured. */
  readonly final: number | undefined;
  readonly best?: { readonly value: number; readonly microStep: number; readonly epoch: number } | undefined;
  readonly basis: MessageInitShape<typeof BasisSchema>;
  /** Whose end decides that the number is final. */
  readonly source: "training" | "evaluation";
}

export interface MeasuredRun {
  readonly steps: RunSteps;
  readonly memory: MemorySummary;
  readonly time: TimeSummary;
  readonly checkpoints: readonly EvaluatedCheckpoint[];
}
