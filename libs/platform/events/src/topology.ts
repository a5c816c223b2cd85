/** What the broker holds: streams, work queues, buckets, and their limits. Made by whoever comes first and may, the same by everybody. */
import {
  AckPolicy,
  type ConsumerInfo,
  JetStreamApiError,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  type StreamInfo,
} from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import { nanos } from "@nats-io/transport-node";
import type { Broker } from "./broker.ts";
import { connectionOf } from "./connection.ts";

export type StreamName = "PRETRAIN_METRICS" | "PRETRAIN_EVENTS" | "PRETRAIN_WORK";
export type BucketName = "pretrain_experiments" | "pretrain_datasets" | "pretrain_evaluations" | "pretrain_leases";
export type QueueName = (typeof queues)[number];

const gibibyte = 2 ** 30;
const streamNotFound = 10_059;
const consumerNotFound = 10_014;
const consumerExists = 10_148;
const dayMs = 24 * 3600 * 1000;

/** How long the server remembers an id. Repetitions after that are the consumers' to recognise, by the same identity. */
const duplicateWindowMs = 2 * 60 * 1000;

/** A piece of work that nobody has spoken for this long goes to the next worker; the trainer's services may be told otherwise. */
const workAckWaitMs = 15_000;

/** How long the mark of a lease's end is kept, for whoever watches the bucket. */
const endMarkMs = 1_000;

/** Events are kept for a quarter of a year and within a size; the ledger keeps them for good. */
const streams = [
  { name: "PRETRAIN_METRICS", subjects: ["pretrain.metrics.*.*"], max_bytes: 4 * gibibyte, max_age: nanos(90 * dayMs) },
  { name: "PRETRAIN_EVENTS", subjects: ["pretrain.events.*.*"], max_bytes: gibibyte, max_age: nanos(90 * dayMs) },
  {
    name: "PRETRAIN_WORK",
    subjects: ["pretrain.work.*"],
    max_bytes: gibibyte / 16,
    retention: RetentionPolicy.Workqueue,
  },
] as const satisfies readonly (Partial<StreamConfig> & { name: StreamName })[];

/** The durable consumer of each queue has the queue's name, so that whoever scales workers can ask for its lag. */
export const queues = ["train-high", "train", "train-low", "evaluate"] as const;

const buckets: readonly BucketName[] = ["pretrain_experiments", "pretrain_datasets", "pretrain_evaluations"];

/** Every stream that must be there; a bucket is one too. */
export const streamNames: readonly string[] = [
  ...streams.map(({ name }) => name),
  ...[...buckets, "pretrain_leases"].map((bucket) => `KV_${bucket}`),
];

export interface TopologyOptions {
  /** How long each of these queues waits for a word of a worker, in milliseconds. The others keep what they have. */
  readonly ackWaitMs?: Readonly<Partial<Record<QueueName, number>>>;
  /** On how many servers each stream is kept; what is there already is changed. Absent: on one, and what is there stays as it is. */
  readonly replicas?: number;
}

/**
 * Makes what is missing; safe to call at every start, by several services at once.
 *
 * @throws the client's refusal when something is missing and this process may not make it
 */
export async function ensureTopology(broker: Broker, options: TopologyOptions = {}): Promise<void> {
  const { ackWaitMs = {}, replicas } = options;
  const { manager, jetstream } = connectionOf(broker);
  const kv = new Kvm(jetstream);
  const kept = { history: 1, storage: StorageType.File, replicas: replicas ?? 1 };
  for (const stream of streams) {
    await ensureStream(manager, stream.name, replicas, () => addStream(manager, stream, replicas ?? 1));
  }
  for (const queue of queues) await ensureQueue(manager, queue, ackWaitMs[queue]);
  for (const bucket of buckets) {
    await ensureStream(manager, `KV_${bucket}`, replicas, () => kv.create(bucket, kept));
  }
  await ensureStream(manager, "KV_pretrain_leases", replicas, () =>
    kv.create("pretrain_leases", { ...kept, markerTTL: endMarkMs }),
  );
}

/** Looked at before it is made: whoever may not make streams is not heard trying where there is nothing to make. */
async function ensureStream(
  manager: JetStreamManager,
  name: string,
  replicas: number | undefined,
  make: () => Promise<unknown>,
): Promise<void> {
  const there = await foundStream(manager, name);
  if (there === undefined) await make();
  else if (replicas !== undefined && there.config.num_replicas !== replicas) {
    await manager.streams.update(name, { num_replicas: replicas });
  }
}

async function foundStream(manager: JetStreamManager, name: string): Promise<StreamInfo | undefined> {
  try {
    return await manager.streams.info(name);
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === streamNotFound) return undefined;
    throw error;
  }
}

async function addStream(manager: JetStreamManager, stream: (typeof streams)[number], replicas: number): Promise<void> {
  await manager.streams.add({
    storage: StorageType.File,
    duplicate_window: nanos(duplicateWindowMs),
    max_msg_size: 2 ** 20,
    num_replicas: replicas,
    ...stream,
    subjects: [...stream.subjects],
  });
}

/** Names of those that are not there. The trainer makes the queues before the last of the streams. */
export async function missingStreams(manager: JetStreamManager): Promise<string[]> {
  const there = new Set(await Array.fromAsync(manager.streams.names()));
  return streamNames.filter((name) => !there.has(name));
}

/** @param ackWaitMs undefined: what it has, or the usual time for a new one */
async function ensureQueue(manager: JetStreamManager, queue: QueueName, ackWaitMs: number | undefined): Promise<void> {
  const there = await foundConsumer(manager, queue);
  if (there !== undefined) {
    const wanted = nanos(ackWaitMs ?? workAckWaitMs);
    if (ackWaitMs !== undefined && there.config.ack_wait !== wanted) {
      await manager.consumers.update("PRETRAIN_WORK", queue, { ack_wait: wanted });
    }
    return;
  }
  try {
    await manager.consumers.add("PRETRAIN_WORK", {
      durable_name: queue,
      filter_subject: `pretrain.work.${queue}`,
      ack_policy: AckPolicy.Explicit,
      ack_wait: nanos(ackWaitMs ?? workAckWaitMs),
      max_deliver: -1, // the worker counts, so that the last one can say what went wrong
      max_ack_pending: 1000,
    });
  } catch (error) {
    if (!(error instanceof JetStreamApiError && error.code === consumerExists)) throw error;
    await ensureQueue(manager, queue, ackWaitMs); // made by somebody else in between, who may want another time
  }
}

async function foundConsumer(manager: JetStreamManager, queue: QueueName): Promise<ConsumerInfo | undefined> {
  try {
    return await manager.consumers.info("PRETRAIN_WORK", queue);
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === consumerNotFound) return undefined;
    throw error;
  }
}
