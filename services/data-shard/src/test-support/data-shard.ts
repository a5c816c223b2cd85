/** The service without its servers: handlers, queue and store in a folder of the test's own. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { pathToFileURL } from "node:url";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { openBlobs } from "@pretrain/blobs";
import { createLog } from "@pretrain/observability";
import { Dataset_State, PackDatasetRequestSchema, type PackingSettings } from "@pretrain/proto";
import { temporaryDirectory, until } from "@pretrain/testing";
import { packDataset } from "../handlers/pack-dataset.ts";
import { PackingQueue } from "../packing/packing-queue.ts";
import { FileDigests } from "../reading/file-digests.ts";
import type { DatasetRecords } from "../stores/dataset-records.ts";
import { ReadyDatasets } from "../stores/ready-datasets.ts";
import { memoryRecords } from "./memory-records.ts";

export const now = () => new Date("2026-01-02T03:04:05Z");

export function dataShard(t: TestContext, records: DatasetRecords = memoryRecords()) {
  const folder = temporaryDirectory(t);
  const root = join(folder, "data");
  mkdirSync(root);
  const address = pathToFileURL(join(folder, "blobs")).href;
  const log = createLog("data-shard-test", "fatal" as "error");
  const outcomes: string[] = [];
  const onPacked = (outcome: string) => void outcomes.push(outcome);
  const openQueue = () =>
    new PackingQueue({ records, blobs: address, dataRoots: [root], log, now, onPacked, tryAgainMs: 20 });
  const queue = openQueue();
  t.after(() => queue[Symbol.asyncDispose]());
  const blobs = openBlobs(address);
  const enqueue = (name: string) => queue.enqueue(name);
  const pack = packDataset({ records, blobs, dataRoots: [root], digests: new FileDigests(), enqueue, now });
  const request = (settings: PackingSettings, requestId = ""): MessageInitShape<typeof PackDatasetRequestSchema> => ({
    settings,
    requestId,
  });
  const ended = (name: string) =>
    until(async () => {
      const { record } = await records.named(name);
      return (
        [Dataset_State.READY, Dataset_State.FAILED].some((state) => state === record.dataset.state) && record.dataset
      );
    });
  return {
    root,
    log,
    /** Of the store. */
    blobsFolder: join(folder, "blobs"),
    /** How packings ended, as they did. */
    outcomes,
    records,
    blobs,
    /** The queue that `pack` puts datasets into. */
    queue,
    /** Another queue on the same records, as the next process would open it. */
    openQueue,
    ready: new ReadyDatasets(records, blobs),
    write: (name: string, content: string | Uint8Array) => writeFileSync(join(root, name), content),
    pack: (settings: PackingSettings, requestId?: string) =>
      pack(create(PackDatasetRequestSchema, request(settings, requestId))),
    /** The dataset when its packing has ended, well or not. */
    ended,
    packed: async (settings: PackingSettings) =>
      await ended((await pack(create(PackDatasetRequestSchema, request(settings)))).name),
  };
}
