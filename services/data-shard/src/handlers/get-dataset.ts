/** GetDataset. */
import type { Dataset, GetDatasetRequest } from "@pretrain/proto";
import { type DatasetRecords, resourceOf } from "../stores/dataset-records.ts";

export const getDataset =
  ({ records }: { readonly records: DatasetRecords }) =>
  async ({ name }: GetDatasetRequest): Promise<Dataset> =>
    resourceOf(await records.named(name));
