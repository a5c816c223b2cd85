/** ListDatasets, by name. A token names the last dataset that was shown, so that a page stays right when others are added. */
import { create } from "@bufbuild/protobuf";
import { type ListDatasetsRequest, type ListDatasetsResponse, ListDatasetsResponseSchema } from "@pretrain/proto";
import { type DatasetRecords, resourceOf } from "../stores/dataset-records.ts";
import { pageSizeOf, pageToken, positionOf } from "./page-token.ts";

export const listDatasets =
  ({ records }: { readonly records: DatasetRecords }) =>
  async (request: ListDatasetsRequest): Promise<ListDatasetsResponse> => {
    const after = positionOf(request.pageToken, [], "");
    const rest = (await records.all()).map(resourceOf).filter(({ name }) => name > after);
    const datasets = rest.slice(0, pageSizeOf(request.pageSize, { usual: 50, most: 1000 }));
    const last = datasets.length < rest.length ? datasets.at(-1) : undefined;
    return create(ListDatasetsResponseSchema, {
      datasets,
      nextPageToken: last === undefined ? "" : pageToken([], last.name),
    });
  };
