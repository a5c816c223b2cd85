/** AnalyzeDataset: how often each token is trained on, and what of the validation text was trained on too. */
import type { AnalyzeDatasetRequest, DatasetAnalysis } from "@pretrain/proto";
import type { DatasetAnalyses } from "../analysis/dataset-analyses.ts";

export const analyzeDataset =
  ({ analyses }: { readonly analyses: DatasetAnalyses }) =>
  async ({ name }: AnalyzeDatasetRequest): Promise<DatasetAnalysis> =>
    await analyses.of(name);
