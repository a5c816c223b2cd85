/** What an attempt needs of the world. */
import type { BlobStore } from "@pretrain/blobs";
import type { Log } from "@pretrain/observability";
import type { Experiments } from "../stores/experiments.ts";
import type { Outbox } from "./outbox.ts";
import type { DataShard } from "./prepare-dataset.ts";

export interface WorkerDependencies {
  readonly experiments: Experiments;
  readonly dataShard: DataShard;
  readonly blobs: BlobStore;
  /** The same store by its address, for the process that computes. */
  readonly blobsAddress: string;
  /** Where traced functions are kept. */
  readonly programsFolder: string;
  readonly outbox: Outbox;
  /** This process's own, of which the process that computes gets a part. */
  readonly environment: NodeJS.ProcessEnv;
  readonly now: () => Date;
  readonly log: Log;
}
