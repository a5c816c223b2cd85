/** What an attempt needs of the world. */
import type { BlobStore } from "@pretrain/blobs";
import type { Leases } from "@pretrain/leases";
import type { Log } from "@pretrain/observability";
import type { Experiments } from "../stores/experiments.ts";
import type { ComputingProcesses } from "./computing-processes.ts";
import type { Outbox } from "./outbox.ts";
import type { DataShard } from "./prepare-dataset.ts";

export interface WorkerDependencies {
  readonly experiments: Experiments;
  readonly leases: Pick<Leases, "acquire">;
  /** This worker, for a person who looks who holds a lease. */
  readonly worker: string;
  readonly device: {
    readonly wanted: "cpu" | "gpu";
    /** Hears why it is not there: this worker is to take no more work. */
    readonly onMissing: (reason: string) => void;
  };
  readonly dataShard: DataShard;
  readonly blobs: BlobStore;
  /** The same store by its address, for the process that computes. */
  readonly blobsAddress: string;
  /** Where traced functions are kept. */
  readonly programsFolder: string;
  readonly outbox: Outbox;
  /** Whether the outbox's disk outlives this machine. */
  readonly isStateKept: boolean;
  readonly computing: Pick<ComputingProcesses, "take">;
  /** How long this worker may take to end when it is asked to, in milliseconds. */
  readonly graceMs: number;
  readonly now: () => Date;
  readonly log: Log;
}
