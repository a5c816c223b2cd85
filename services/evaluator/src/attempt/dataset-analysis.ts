/** What data-shard knows of a dataset beyond its rows: how often each token is trained on, and what both splits have in common. */
import { DataLoss, FailedPrecondition } from "@pretrain/errors";
import type { DataShardService, Dataset, DatasetAnalysis } from "@pretrain/proto";
import type { PretrainClient } from "@pretrain/rpc";

/** The first one to ask waits for the computation. Whoever asks again behind this finds it further, or kept. */
const patienceMs = 10 * 60_000;

/**
 * @param vocabularySize entries that the model has
 * @throws FailedPrecondition when the dataset is another one by now; DataLoss when the analysis is of another vocabulary; what
 *   data-shard answers
 */
export async function datasetAnalysis(
  dataShard: Pick<PretrainClient<typeof DataShardService>, "analyzeDataset">,
  { name, manifestSha256 }: Dataset,
  vocabularySize: number,
  signal: AbortSignal,
): Promise<DatasetAnalysis> {
  const analysis = await dataShard.analyzeDataset({ name }, { signal, timeoutMs: patienceMs });
  if (analysis.datasetSha256 !== manifestSha256) {
    const message = `the analysis of ${name} is of ${analysis.datasetSha256}, the dataset is ${manifestSha256}`;
    throw new FailedPrecondition("DATASET_REPLACED", message, { dataset: name });
  }
  const counted = analysis.trainTokenCounts.length;
  if (counted !== vocabularySize) {
    const message = `the analysis of ${name} counts ${counted} tokens, the model has ${vocabularySize}`;
    throw new DataLoss("ANALYSIS_INCONSISTENT", message, { dataset: name });
  }
  return analysis;
}
