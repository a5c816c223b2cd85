/** What packing is told and what it answers: plain values, since they cross to another thread. */
import type { PackingRules } from "../dataset/dataset-identity.ts";
import type { SourceFile } from "../reading/source-file.ts";

export interface PackJob {
  readonly datasetId: string;
  readonly train: SourceFile;
  /** Undefined: rows of the training file are set aside. */
  readonly validation: SourceFile | undefined;
  /** Undefined: one is trained. */
  readonly tokenizer: SourceFile | undefined;
  readonly rules: PackingRules;
}

/** The name of the part of a dataset that holds its report. */
export const reportPart = "report.json";
