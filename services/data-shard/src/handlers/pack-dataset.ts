/** PackDataset: writes down what is to be packed and answers; the packing goes on without the caller. */
import type { BlobStore } from "@pretrain/blobs";
import { AlreadyExists, InvalidArgument } from "@pretrain/errors";
import { type Dataset, Dataset_State, type PackDatasetRequest } from "@pretrain/proto";
import { manifestKey } from "@pretrain/shards";
import { askedFor, type Request } from "../dataset/dataset-changes.ts";
import { datasetIdOfName } from "../dataset/dataset-identity.ts";
import { newDataset, settingsSha256 } from "../dataset/new-dataset.ts";
import type { FileDigests } from "../reading/file-digests.ts";
import { type DatasetRecords, resourceOf, type StoredDataset } from "../stores/dataset-records.ts";
import { checkSettings } from "./check-settings.ts";

export interface PackDatasetDependencies {
  readonly records: DatasetRecords;
  readonly blobs: BlobStore;
  readonly dataRoots: readonly string[];
  readonly digests: FileDigests;
  /** Takes the name of a dataset that waits to be packed. */
  readonly enqueue: (name: string) => void;
  readonly now: () => Date;
}

export const packDataset =
  (dependencies: PackDatasetDependencies) =>
  async ({ settings, requestId }: PackDatasetRequest): Promise<Dataset> => {
    if (settings === undefined) throw new InvalidArgument([{ field: "settings", description: "is missing" }]);
    const { records, blobs, enqueue, now } = dependencies;
    const request = { requestId, settingsSha256: settingsSha256(settings) };
    const first = requestId === "" ? undefined : await answerGiven(records, request);
    if (first !== undefined) return resourceOf(first);

    const wanted = newDataset(settings, await checkSettings(settings, dependencies), now());
    const { record } = await records.create(wanted);
    const isLost = record.dataset.state === Dataset_State.READY && !(await isWritten(blobs, record.dataset.name));
    const stored = await records.change(record.dataset.name, (current) => askedFor(current, request, { isLost }));
    // A crash before this line is repaired at the next start, which takes up every dataset that is not complete.
    if (stored.record.dataset.state === Dataset_State.PENDING) enqueue(stored.record.dataset.name);
    return resourceOf(stored);
  };

/** What an earlier request with this id was answered with. @throws AlreadyExists when it asked for something else */
async function answerGiven(records: DatasetRecords, request: Request): Promise<StoredDataset | undefined> {
  const { requestId } = request;
  for (const stored of await records.all()) {
    const earlier = stored.record.requests.find((answered) => answered.requestId === requestId);
    if (earlier === undefined) continue;
    if (earlier.settingsSha256 === request.settingsSha256) return stored;
    const message = `request_id ${requestId} was used for ${stored.record.dataset.name} with other settings`;
    throw new AlreadyExists("REQUEST_ID_REUSED", message, { requestId, name: stored.record.dataset.name });
  }
  return undefined;
}

async function isWritten(blobs: BlobStore, name: string): Promise<boolean> {
  return (await blobs.stat(manifestKey(datasetIdOfName(name)))) !== undefined;
}
