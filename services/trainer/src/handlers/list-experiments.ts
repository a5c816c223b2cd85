/** All experiments, newest first, page by page. */
import { create } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import {
  type ListExperimentsRequest,
  type ListExperimentsResponse,
  ListExperimentsResponseSchema,
} from "@pretrain/proto";
import { isBehind, type Place, page } from "../experiment/page.ts";
import { experimentOf, resourceOf } from "../experiment/record.ts";
import type { Experiments, Found } from "../stores/experiments.ts";

export const listExperiments =
  ({ experiments }: { readonly experiments: Experiments }) =>
  async (request: ListExperimentsRequest): Promise<ListExperimentsResponse> => {
    const sorted = (await experiments.list()).sort((a, b) => (isBehind(placeOf(a), placeOf(b)) ? 1 : -1));
    const { items, nextPageToken } = page(sorted, placeOf, "experiments", request);
    return create(ListExperimentsResponseSchema, {
      experiments: items.map(({ value, revision }) => resourceOf(value, revision)),
      nextPageToken,
    });
  };

/** Newest first: the later it was made, the smaller. */
function placeOf({ key, value }: Found): Place {
  const { createTime } = experimentOf(value);
  return [createTime === undefined ? 0 : -timestampMs(createTime), key];
}
