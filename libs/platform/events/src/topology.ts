/** What the broker holds: streams, work queues, buckets, and their limits. Made by whoever comes first, the same by everybody. */
import {
  AckPolicy,
  type ConsumerInfo,
  JetStreamApiError,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import { nanos } from "@nats-io/transport-node";
import type { Broker } from "./broker.ts";
import { connectionOf } from "./connection.ts";

export type StreamName = "PRETRAIN_METRICS" | "PRETRAIN_EVENTS" | "PRETRAIN_WORK";
export type BucketName = "pretrain_experiments" | "pretrain_datasets" | "pretrain_evaluations" | "pretrain_leases";
export type QueueName = (typeof queues)[number];

const gibibyte = 2 ** 30;
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
}

/** Makes what is missing; safe to call at every start, by several services at once. */
export async function ensureTopology(broker: Broker, { ackWaitMs = {} }: TopologyOptions = {}): Promise<void> {
  const { manager, jetstream } = connectionOf(broker);
  for (const stream of streams) await ensureStream(manager, stream);
  for (const queue of queues) await ensureQueue(manager, queue, ackWaitMs[queue]);
  const kv = new Kvm(jetstream);
  for (const bucket of buckets) await kv.create(bucket, { history: 1, storage: StorageType.File });
  await kv.create("pretrain_leases", { history: 1, storage: StorageType.File, markerTTL: endMarkMs });
}

async function ensureStream(manager: JetStreamManager, stream: (typeof streams)[number]): Promise<void> {
  await manager.streams.add({
    storage: StorageType.File,
    duplicate_window: nanos(duplicateWindowMs),
    max_msg_size: 2 ** 20,
    ...stream,
    subjects: [...stream.subjects],
  });
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
