/** A durable consumer: every event of a stream, in order, in batches, acknowledged only when it has been dealt with. */

import { setTimeout as pause } from "node:timers/promises";
import { AckPolicy, type ConsumerMessages, DeliverPolicy, type JsMsg } from "@nats-io/jetstream";
import { nanos } from "@nats-io/transport-node";
import { messageOf } from "@pretrain/errors";
import type { Connection } from "./connection.ts";
import { delivered } from "./delivered.ts";
import type { Delivered } from "./event-kinds.ts";
import type { StreamName } from "./topology.ts";

export interface ConsumeOptions {
  /** Name of the consumer: the same name goes on where it stopped, a new one begins at the stream's first event. */
  readonly durable: string;
  /** Only this subject, such as `pretrain.events.*.checkpoint`. All of the stream's if absent. */
  readonly filter?: string;
  /** Events handed over at once, at most. */
  readonly batch: number;
}

export interface Consumption extends AsyncDisposable {
  /** Rejects if the consumer can never go on. Never resolves. */
  readonly failed: Promise<never>;
}

/** After a crash of the consumer, what it had taken comes again so much later. */
const ackWaitMs = 15_000;
const retryMs = 1000;

export async function consume(
  connection: Connection,
  stream: StreamName,
  { durable, filter, batch }: ConsumeOptions,
  handle: (batch: readonly Delivered[]) => Promise<void>,
): Promise<Consumption> {
  await connection.manager.consumers.add(stream, {
    durable_name: durable,
    deliver_policy: DeliverPolicy.All,
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(ackWaitMs),
    max_ack_pending: 2 * batch,
    ...(filter === undefined ? {} : { filter_subject: filter }),
  });
  const stopping = new AbortController();
  const running = run(connection, stream, durable, batch, handle, stopping.signal);
  return {
    failed: running.then(() => new Promise<never>(() => {})),
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await running.catch(() => {}); // `failed` has told it
    },
  };
}

/** One subscription after the other: whatever ends one (the consumer deleted, the server replaced) is tried again. */
async function run(
  connection: Connection,
  stream: StreamName,
  durable: string,
  batch: number,
  handle: (batch: readonly Delivered[]) => Promise<void>,
  stopping: AbortSignal,
): Promise<void> {
  const { jetstream, log, nats } = connection;
  while (!stopping.aborted && !nats.isClosed()) {
    try {
      const consumer = await jetstream.consumers.get(stream, durable);
      const messages = await consumer.consume({ max_messages: batch });
      await handleAll(connection, stream, messages, batch, handle, stopping);
    } catch (error) {
      if (stopping.aborted) return;
      log.warn({ stream, durable, reason: messageOf(error) }, "consuming is tried again");
      await pause(retryMs, undefined, { signal: stopping }).catch(() => {});
    }
  }
}

/** What arrives while a batch is being handled makes up the next one: small batches when it is quiet, large ones after a pause. */
async function handleAll(
  connection: Connection,
  stream: StreamName,
  messages: ConsumerMessages,
  batch: number,
  handle: (batch: readonly Delivered[]) => Promise<void>,
  stopping: AbortSignal,
): Promise<void> {
  const stop = () => messages.stop();
  stopping.addEventListener("abort", stop, { once: true });
  const waiting: JsMsg[] = [];
  let busy: Promise<void> = Promise.resolve();
  const drain = async () => {
    while (waiting.length > 0 && !stopping.aborted) {
      const taken = waiting.slice(0, batch);
      if (await handled(connection, stream, taken, handle)) waiting.splice(0, taken.length);
      else await patience(waiting, stopping);
    }
  };
  try {
    for await (const message of messages) {
      waiting.push(message);
      if (waiting.length === 1) busy = busy.then(drain);
    }
  } finally {
    stopping.removeEventListener("abort", stop);
    await busy;
    for (const message of waiting) message.nak(); // else they are ours until their time is up
    await messages.close();
  }
}

/** False when the handler threw: the same batch is tried again, so that the order holds. */
async function handled(
  { log }: Connection,
  stream: StreamName,
  messages: readonly JsMsg[],
  handle: (batch: readonly Delivered[]) => Promise<void>,
): Promise<boolean> {
  const readable = messages.flatMap((message) => delivered(stream, message, log));
  try {
    if (readable.length > 0) await handle(readable);
  } catch (error) {
    log.error(
      { stream, events: readable.length, reason: messageOf(error) },
      "a batch of events could not be dealt with",
    );
    return false;
  }
  for (const message of messages) message.ack();
  return true;
}

/** A pause in which the messages stay ours. */
async function patience(waiting: readonly JsMsg[], stopping: AbortSignal): Promise<void> {
  for (const message of waiting) message.working();
  await pause(retryMs, undefined, { signal: stopping }).catch(() => {});
}
