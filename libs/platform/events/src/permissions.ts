/**
 * What each process may do at the broker: every subject that it publishes or subscribes to, and nothing else. The server's
 * configuration is written from this table, for tests and for clusters. What follows from it:
 *
 *     only the trainer's API process makes streams, buckets and queues; nobody deletes or empties one
 *     nobody publishes another one's events, takes another one's work, or writes another one's records
 *     nobody hears what is answered to somebody else
 *
 * What a server does on behalf of a client is not checked by it: who may read a stream can have it delivered to a subject that he may
 * not publish to. What arrives there is a message that the stream had anyway.
 */
import { questions } from "./ask.ts";
import { events, type KindName, subjectsOf } from "./event-kinds.ts";
import { inboxPrefix } from "./inbox.ts";
import { type BucketName, type QueueName, queues, type StreamName, streamNames } from "./topology.ts";

/** Common name of a process's certificate. */
export type Identity =
  | "data-shard"
  | "trainer"
  | "trainer-worker"
  | "evaluator"
  | "evaluator-worker"
  | "report"
  | "viewer";

export interface BrokerPermissions {
  readonly name: Identity;
  readonly publish: readonly string[];
  /** Taken away from what `publish` grants. */
  readonly neverPublish: readonly string[];
  readonly subscribe: readonly string[];
  /** Whether it may answer a question where the question says. */
  readonly answers: boolean;
}

const api = "$JS.API";
const askLedger = questions.missingEvents.subject;
const trainQueues = ["train-high", "train", "train-low"] as const satisfies readonly QueueName[];

/** Durable consumers with a name that is known beforehand: nobody else's. */
const durables = { evaluator: "evaluator", retention: "trainer-retention" } as const;

/** To see whether the broker has what it must, and how much work waits. */
const looks = [`${api}.INFO`, `${api}.STREAM.NAMES`, `${api}.STREAM.INFO.*`, `${api}.CONSUMER.INFO.PRETRAIN_WORK.*`];

const makes = [
  ...streamNames.flatMap((stream) => [`${api}.STREAM.CREATE.${stream}`, `${api}.STREAM.UPDATE.${stream}`]),
  ...queues.map((queue) => `${api}.CONSUMER.CREATE.PRETRAIN_WORK.${queue}.pretrain.work.${queue}`),
];

function publishes(...kinds: readonly KindName[]): string[] {
  return kinds.map((kind) => subjectsOf(kind));
}

function enqueues(...names: readonly QueueName[]): string[] {
  return names.map((queue) => `pretrain.work.${queue}`);
}

function takes(...names: readonly QueueName[]): string[] {
  return names.flatMap((queue) => [
    `${api}.CONSUMER.MSG.NEXT.PRETRAIN_WORK.${queue}`,
    `$JS.ACK.PRETRAIN_WORK.${queue}.>`,
  ]);
}

/** One durable consumer of a stream, made with its filter in the subject if it has one. */
function consumes(stream: StreamName, durable: string, filter?: string): string[] {
  const made = filter === undefined ? durable : `${durable}.${filter}`;
  return [
    `${api}.CONSUMER.CREATE.${stream}.${made}`,
    `${api}.CONSUMER.INFO.${stream}.${durable}`,
    `${api}.CONSUMER.MSG.NEXT.${stream}.${durable}`,
    `$JS.ACK.${stream}.${durable}.>`,
  ];
}

/** Consumers of one kind of event that live as long as their reader, under names that nobody knows beforehand. */
function follows(kind: KindName): string[] {
  const { stream } = events[kind];
  return [`${api}.CONSUMER.CREATE.${stream}.*.${subjectsOf(kind)}`, ...usesConsumers(stream)];
}

function usesConsumers(stream: string): string[] {
  return ["INFO", "DELETE", "MSG.NEXT"].map((verb) => `${api}.CONSUMER.${verb}.${stream}.*`);
}

function readsRecord(bucket: BucketName): string[] {
  return [`${api}.STREAM.MSG.GET.KV_${bucket}`];
}

/** One, many, all of them, and whenever one changes. */
function writesRecords(bucket: BucketName): string[] {
  const stream = `KV_${bucket}`;
  return [
    `$KV.${bucket}.>`,
    ...readsRecord(bucket),
    `${api}.DIRECT.GET.${stream}`,
    `${api}.CONSUMER.CREATE.${stream}.>`,
    ...usesConsumers(stream),
    `$JS.FC.${stream}.>`,
  ];
}

function leavesAlone(stream: StreamName, durable: string): string[] {
  return [
    `${api}.CONSUMER.*.${stream}.${durable}`,
    `${api}.CONSUMER.*.${stream}.${durable}.>`,
    `${api}.CONSUMER.MSG.NEXT.${stream}.${durable}`,
    `$JS.ACK.${stream}.${durable}.>`,
  ];
}

type Rights = Partial<Omit<BrokerPermissions, "name">>;

function process(name: Identity, { publish = [], neverPublish = [], subscribe = [], answers = false }: Rights) {
  const own = `${inboxPrefix(name)}.>`;
  return { name, publish: [...looks, ...publish], neverPublish, subscribe: [own, ...subscribe], answers };
}

export const brokerPermissions: readonly BrokerPermissions[] = [
  process("data-shard", { publish: writesRecords("pretrain_datasets") }),
  process("trainer", {
    publish: [
      ...makes,
      ...publishes("state", "removal"),
      ...enqueues(...trainQueues),
      ...writesRecords("pretrain_experiments"),
      ...readsRecord("pretrain_leases"),
      ...consumes("PRETRAIN_EVENTS", durables.retention, "pretrain.events.*.evaluation"),
      ...follows("attempt"),
    ],
    neverPublish: leavesAlone("PRETRAIN_EVENTS", durables.evaluator),
  }),
  process("trainer-worker", {
    publish: [
      ...publishes("step", "memory", "profile", "log", "state", "attempt", "phase", "dataset", "checkpoint"),
      ...enqueues(...trainQueues), // what it hands on when it gives way
      ...takes(...trainQueues),
      ...writesRecords("pretrain_experiments"),
      ...readsRecord("pretrain_leases"),
      "$KV.pretrain_leases.>",
      askLedger,
    ],
  }),
  process("evaluator", {
    publish: [
      ...publishes("evaluation"),
      ...enqueues("evaluate"),
      ...writesRecords("pretrain_evaluations"),
      ...consumes("PRETRAIN_EVENTS", durables.evaluator),
    ],
  }),
  process("evaluator-worker", {
    publish: [
      ...publishes("evaluation"),
      ...enqueues("evaluate"),
      ...takes("evaluate"),
      ...writesRecords("pretrain_evaluations"),
    ],
  }),
  process("report", {
    publish: [
      ...publishes("annotation", "report"),
      // Its consumers have its ledger's id in their names, and are made anew where the ledger says that it is.
      ...(["PRETRAIN_EVENTS", "PRETRAIN_METRICS"] as const).flatMap((stream) => [
        `${api}.CONSUMER.CREATE.${stream}.*`,
        ...usesConsumers(stream),
        `$JS.ACK.${stream}.*.>`,
      ]),
    ],
    neverPublish: [durables.evaluator, durables.retention].flatMap((name) => leavesAlone("PRETRAIN_EVENTS", name)),
    subscribe: [askLedger],
    answers: true,
  }),
  // Whoever watches with a NATS client of his own: he hears what is published, and says nothing.
  {
    name: "viewer",
    publish: [],
    neverPublish: [],
    subscribe: ["pretrain.metrics.>", "pretrain.events.>"],
    answers: false,
  },
];
