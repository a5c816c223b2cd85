/** All experiments, newest first, page by page: their order from the index, the page itself from the bucket. */
import { create } from "@bufbuild/protobuf";
import type { RecordIndex } from "@pretrain/events";
import {
  type ListExperimentsRequest,
  type ListExperimentsResponse,
  ListExperimentsResponseSchema,
} from "@pretrain/proto";
import { type ExperimentFacts, placeOf } from "../experiment/experiment-facts.ts";
import { isBehind, page } from "../experiment/page.ts";
import { resourceOf } from "../experiment/record.ts";
import type { Experiments } from "../stores/experiments.ts";

export interface Dependencies {
  readonly experiments: Experiments;
  readonly index: RecordIndex<ExperimentFacts>;
}

export const listExperiments =
  ({ experiments, index }: Dependencies) =>
  async (request: ListExperimentsRequest): Promise<ListExperimentsResponse> => {
    const facts = [...(await index.current()).values()];
    const sorted = facts.sort((a, b) => (isBehind(placeOf(a), placeOf(b)) ? 1 : -1));
    const { items, nextPageToken } = page(sorted, placeOf, "experiments", request);
    const found = await experiments.getMany(items.map(({ key }) => key));
    const resources = new Map(found.map(({ key, value, revision }) => [key, resourceOf(value, revision)]));
    return create(ListExperimentsResponseSchema, {
      experiments: items.flatMap(({ key }) => resources.get(key) ?? []),
      nextPageToken,
    });
  };
