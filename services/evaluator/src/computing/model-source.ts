/** Where a checkpoint's weights and its tokenizer are, and the dataset that both belong to. */
import type { BlobStore } from "@pretrain/blobs";
import { type CheckpointId, checkpointName, readCheckpointState, readManifest } from "@pretrain/checkpoint";
import { FailedPrecondition } from "@pretrain/errors";
import { type DataShardService, type Dataset, Dataset_State } from "@pretrain/proto";
import type { PretrainClient } from "@pretrain/rpc";
import type { ModelSource } from "../worker/protocol.ts";

export interface Sources {
  readonly blobs: BlobStore;
  readonly dataShard: Pick<PretrainClient<typeof DataShardService>, "getDataset">;
}

export interface FoundModel {
  readonly source: ModelSource;
  readonly dataset: Dataset;
}

/**
 * @throws NotFound when there is no such checkpoint; DataLoss when it is damaged; FailedPrecondition when its dataset is not
 *   what it was trained on; what data-shard answers
 */
export async function findModel({ blobs, dataShard }: Sources, checkpoint: CheckpointId): Promise<FoundModel> {
  const { manifest, manifestSha256 } = await readManifest(blobs, checkpoint);
  const { datasetSha256 } = await readCheckpointState(blobs, { manifest });
  const dataset = await dataShard.getDataset({ name: `datasets/${manifest.dataset}` });
  if (dataset.state !== Dataset_State.READY || dataset.manifestSha256 !== datasetSha256) {
    const found = dataset.state === Dataset_State.READY ? `now ${dataset.manifestSha256}` : "not ready";
    const message = `${checkpointName(checkpoint)} was trained on ${dataset.name} ${datasetSha256}, which is ${found}`;
    throw new FailedPrecondition("DATASET_REPLACED", message, { dataset: dataset.name });
  }
  const { tokenizerBlob, tokenizerSha256 } = dataset;
  return { dataset, source: { checkpoint, manifestSha256, tokenizerBlob, tokenizerSha256 } };
}
