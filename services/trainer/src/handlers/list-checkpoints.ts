/**
 * Checkpoints that are complete, and on demand those that were removed on purpose, oldest first, page by page; each with what
 * evaluations found of it.
 */
import { create } from "@bufbuild/protobuf";
import type { BlobStore } from "@pretrain/blobs";
import { listCheckpoints as listStored, readRemoval } from "@pretrain/checkpoint";
import type { Log } from "@pretrain/observability";
import {
  type ListCheckpointsRequest,
  type ListCheckpointsResponse,
  ListCheckpointsResponseSchema,
} from "@pretrain/proto";
import { idOfExperimentName } from "@pretrain/recipe";
import { checkpointResource, removedResource } from "../experiment/checkpoint-resource.ts";
import { page } from "../experiment/page.ts";
import { readResults } from "../retention/evaluation-results.ts";
import { bestOf } from "../retention/retention-rule.ts";
import type { Experiments } from "../stores/experiments.ts";

export interface Dependencies {
  readonly experiments: Experiments;
  readonly blobs: BlobStore;
  readonly log: Log;
}

export const listCheckpoints =
  ({ experiments, blobs, log }: Dependencies) =>
  async ({ parent, showDeleted, ...request }: ListCheckpointsRequest): Promise<ListCheckpointsResponse> => {
    const id = idOfExperimentName(parent, "parent");
    await experiments.get(id);
    const { checkpoints, removed, damaged } = await listStored(blobs, id);
    for (const { fault } of damaged)
      log.warn({ experiment: id, reason: fault.message }, "a damaged checkpoint is not listed");
    const resultOf = await readResults(blobs, id);
    const best = bestOf(
      checkpoints.map((sealed) => ({ ...sealed.manifest, result: resultOf(sealed) })),
      1,
    ).at(0);
    const there = checkpoints.map((sealed) => ({
      microStep: sealed.manifest.microStep,
      resource: async () => {
        const isBest = sealed.manifest.microStep === best;
        return Object.assign(checkpointResource(sealed), resultOf(sealed), { best: isBest });
      },
    }));
    const gone = removed.map((each) => ({
      microStep: each.microStep,
      resource: async () => {
        const known = await readRemoval(blobs, each.removal, each);
        return known && Object.assign(removedResource(known), resultOf(known));
      },
    }));
    const all = showDeleted ? [...there, ...gone].sort((a, b) => a.microStep - b.microStep) : there;
    const scope = showDeleted ? `${id} with removed ones` : id;
    const { items, nextPageToken } = page(all, ({ microStep }) => [microStep, ""], scope, request);
    const resources = await Promise.all(items.map(({ resource }) => resource()));
    const found = resources.filter((each) => each !== undefined);
    return create(ListCheckpointsResponseSchema, { checkpoints: found, nextPageToken });
  };
