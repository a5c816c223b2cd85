/** GetDatasetReport: what packing wrote beside the shards, with what only the record knows. */
import { basename } from "node:path";
import { fromJsonString } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type Dataset, type DatasetReport, DatasetReportSchema, type GetDatasetReportRequest } from "@pretrain/proto";
import { reportPart } from "../packing/pack-job.ts";
import type { ReadyDatasets } from "../stores/ready-datasets.ts";

export const getDatasetReport =
  ({ ready }: { readonly ready: ReadyDatasets }) =>
  async ({ name }: GetDatasetReportRequest): Promise<DatasetReport> => {
    const { dataset, shards } = await ready.open(name);
    const json = Buffer.from(await shards.readPart(reportPart)).toString("utf8");
    return {
      ...fromJsonString(DatasetReportSchema, json),
      dataset: name,
      sourceName: basename(dataset.settings?.path ?? ""),
      manifestSha256: dataset.manifestSha256,
      durationSeconds: durationSeconds(dataset),
    };
  };

/** From the request to the complete dataset; the wait for other datasets is in it. */
function durationSeconds({ createTime, endTime }: Dataset): number {
  return createTime === undefined || endTime === undefined
    ? 0
    : (timestampMs(endTime) - timestampMs(createTime)) / 1000;
}
