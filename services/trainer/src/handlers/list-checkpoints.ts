/** Checkpoints that are complete, oldest first, page by page. */
import { create } from "@bufbuild/protobuf";
import type { BlobStore } from "@pretrain/blobs";
import { listCheckpoints as listStored } from "@pretrain/checkpoint";
import type { Log } from "@pretrain/observability";
import {
  type ListCheckpointsRequest,
  type ListCheckpointsResponse,
  ListCheckpointsResponseSchema,
} from "@pretrain/proto";
import { idOfExperimentName } from "@pretrain/recipe";
import { checkpointResource } from "../experiment/checkpoint-resource.ts";
import { page } from "../experiment/page.ts";
import type { Experiments } from "../stores/experiments.ts";

export interface Dependencies {
  readonly experiments: Experiments;
  readonly blobs: BlobStore;
  readonly log: Log;
}

export const listCheckpoints =
  ({ experiments, blobs, log }: Dependencies) =>
  async ({ parent, ...request }: ListCheckpointsRequest): Promise<ListCheckpointsResponse> => {
    const id = idOfExperimentName(parent, "parent");
    await experiments.get(id);
    const { checkpoints, damaged } = await listStored(blobs, id);
    for (const { fault } of damaged)
      log.warn({ experiment: id, reason: fault.message }, "a damaged checkpoint is not listed");
    const { items, nextPageToken } = page(checkpoints, ({ manifest }) => [manifest.microStep, ""], id, request);
    return create(ListCheckpointsResponseSchema, { checkpoints: items.map(checkpointResource), nextPageToken });
  };
