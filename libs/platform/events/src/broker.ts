/** The connection to the broker and what can be done with it. */

import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { messageOf, Unavailable } from "@pretrain/errors";
import type { Log } from "@pretrain/observability";
import type { Tls } from "@pretrain/tls";
import { answer, ask, type Question } from "./ask.ts";
import { connectToServers } from "./connect-to-servers.ts";
import { type Connection, withConnection } from "./connection.ts";
import { type ConsumeOptions, type Consumption, consume } from "./consume.ts";
import type { Delivered, EventKind, KindName } from "./event-kinds.ts";
import { type ExpiringRecords, openExpiringRecords } from "./expiring-records.ts";
import { type FollowOptions, follow } from "./follow.ts";
import { publish } from "./publish.ts";
import { followRecords, type RecordIndex } from "./record-index.ts";
import { openRecords, type Recorded, type Records } from "./records.ts";
import { refusalOf } from "./refusal.ts";
import type { BucketName, StreamName } from "./topology.ts";
import {
  enqueue,
  hasWork,
  type Piece,
  type TakeOptions,
  takeWork,
  type WorkKind,
  type Workload,
  workload,
} from "./work.ts";

export interface BrokerOptions {
  /** `nats://host:port`, or several of them separated by commas */
  readonly url: string;
  /** Who connects, as the server's monitoring shows it. */
  readonly name: string;
  /** Of this process: the broker knows it by that. None: an open broker on this machine. */
  readonly tls?: Tls | undefined;
  readonly log: Log;
}

export interface Broker extends AsyncDisposable {
  /**
   * Publishes one event and resolves when the broker has it on its disk. The same event again is recognised by its identity.
   * @throws Unavailable when no answer came. The event may be stored all the same: publish it again. PermissionDenied when this process
   * may not publish it
   */
  publish<Schema extends DescMessage>(
    kind: EventKind<string, Schema>,
    message: MessageShape<Schema>,
  ): Promise<{ readonly duplicate: boolean }>;
  /** Hands every event of a stream to `handle`, in batches, in order. They are acknowledged when it resolves and handed over again when it throws. */
  consume(
    stream: StreamName,
    options: ConsumeOptions,
    handle: (batch: readonly Delivered[]) => Promise<void>,
  ): Promise<Consumption>;
  /** Events of one experiment as they come, for somebody who watches. Ends with `signal`. */
  follow<Kinds extends KindName>(options: FollowOptions<Kinds>, signal: AbortSignal): AsyncIterable<Delivered<Kinds>>;
  /** Puts a piece of work into its queue. The same `id` within two minutes is the same piece. */
  enqueue<Schema extends DescMessage>(kind: WorkKind<Schema>, message: MessageShape<Schema>, id: string): Promise<void>;
  /**
   * Pieces of work, one at a time, of the first of `kinds` that has any; the next one is asked for when the one before is done or handed
   * back. While one of a later kind is out, the earlier ones are looked at. Ends with `signal`.
   */
  takeWork<Schema extends DescMessage>(
    kinds: readonly WorkKind<Schema>[],
    options: TakeOptions<MessageShape<Schema>>,
  ): AsyncIterable<Piece<MessageShape<Schema>>>;
  /** Whether a queue holds work, waiting or in somebody's hands. */
  hasWork(kind: WorkKind<DescMessage>): Promise<boolean>;
  /** How much work a queue holds. */
  workload(kind: WorkKind<DescMessage>): Promise<Workload>;
  /** An index of a bucket: what `factsOf` says of each record, kept here. */
  recordIndex<Schema extends DescMessage, Facts>(
    bucket: BucketName,
    schema: Schema,
    factsOf: (recorded: Recorded<MessageShape<Schema>>) => Facts,
  ): RecordIndex<Facts>;
  /** Asks whoever answers such questions. @throws Unavailable when nobody does */
  ask<Asked extends DescMessage, Answer extends DescMessage>(
    question: Question<Asked, Answer>,
    message: MessageShape<Asked>,
  ): Promise<MessageShape<Answer>>;
  /** Answers such questions until disposed. */
  answer<Asked extends DescMessage, Answer extends DescMessage>(
    question: Question<Asked, Answer>,
    reply: (message: MessageShape<Asked>) => MessageShape<Answer>,
  ): Disposable;
  /** Sequences of the oldest event that a stream still holds and of the newest; of an empty one the oldest is the next. */
  extentOf(stream: StreamName): Promise<{ readonly first: number; readonly last: number }>;
  /** The records of a bucket. */
  records<Schema extends DescMessage>(bucket: BucketName, schema: Schema): Promise<Records<MessageShape<Schema>>>;
  /** The records of a bucket whose values go away by themselves. */
  expiringRecords<Schema extends DescMessage>(
    bucket: BucketName,
    schema: Schema,
  ): Promise<ExpiringRecords<MessageShape<Schema>>>;
}

/**
 * Connects once, and again for ever whenever the connection is lost.
 *
 * @throws Unavailable naming address and variable, when nobody answers at the start or JetStream is off; PermissionDenied when the
 * broker does not know this process
 */
export async function connectBroker(options: BrokerOptions): Promise<Broker> {
  const { url, log } = options;
  const { nats, inbox } = await connectToServers(options);
  const manager = await managerOf(nats, url);
  const client = jetstream(nats, { watcherPrefix: inbox });
  const connection: Connection = { nats, jetstream: client, manager, log };
  const broker: Broker = {
    publish: (kind, message) => publish(connection, kind, message),
    consume: (stream, options, handle) => consume(connection, stream, options, handle),
    follow: (options, signal) => follow(connection, options, signal),
    enqueue: (kind, message, id) => enqueue(connection, kind, message, id),
    takeWork: (kinds, options) => takeWork(connection, kinds, options),
    hasWork: (kind) => hasWork(connection, kind),
    workload: (kind) => workload(connection, kind),
    recordIndex: (bucket, schema, factsOf) => followRecords(connection, bucket, schema, factsOf),
    ask: (question, message) => ask(connection, question, message),
    answer: (question, reply) => answer(connection, question, reply),
    extentOf: async (stream) => {
      const { state } = await connection.manager.streams.info(stream);
      return { first: state.first_seq, last: state.last_seq };
    },
    records: (bucket, schema) => openRecords(connection, bucket, schema),
    expiringRecords: (bucket, schema) => openExpiringRecords(connection, bucket, schema),
    [Symbol.asyncDispose]: () => nats.close(),
  };
  return withConnection(broker, connection);
}

async function managerOf(nats: NatsConnection, url: string) {
  try {
    return await jetstreamManager(nats);
  } catch (error) {
    await nats.close();
    const refusal = refusalOf(error);
    if (refusal !== undefined) throw refusal;
    throw new Unavailable(
      "JETSTREAM_OFF",
      `${url}: the NATS server has no JetStream (${messageOf(error)}); switch it on`,
      { url },
      { cause: error },
    );
  }
}
