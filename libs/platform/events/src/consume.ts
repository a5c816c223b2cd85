/** A durable consumer: every event of a stream, in order, in batches, acknowledged only when it has been dealt with. */

import { setTimeout as pause, setImmediate as turn } from "node:timers/promises";
import {
  AckPolicy,
  type ConsumerConfig,
  type ConsumerInfo,
  type ConsumerMessages,
  DeliverPolicy,
  JetStreamApiError,
  type JsMsg,
} from "@nats-io/jetstream";
import { nanos, errors as natsErrors } from "@nats-io/transport-node";
import { messageOf, Unavailable } from "@pretrain/errors";
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
  /**
   * Sequence of the stream up to which the caller has every event for certain. The consumer begins behind it, or behind what
   * it was told last if that is less: a caller that lost what it had taken, or a broker that was put back to an older disk,
   * is given again what is missing. Absent: the broker alone knows.
   */
  readonly heldUpTo?: number;
}

export interface Consumption extends AsyncDisposable {
  /** Sequence of the stream up to which every event has been dealt with. @throws Unavailable when the broker is silent */
  settledUpTo(): Promise<number>;
  /** Rejects if the consumer can never go on. Never resolves. */
  readonly failed: Promise<never>;
}

/** After a crash of the consumer, what it had taken comes again so much later. */
const ackWaitMs = 15_000;
const retryMs = 1000;

export async function consume(
  connection: Connection,
  stream: StreamName,
  { durable, filter, batch, heldUpTo }: ConsumeOptions,
  handle: (batch: readonly Delivered[]) => Promise<void>,
): Promise<Consumption> {
  const config: Partial<ConsumerConfig> = {
    durable_name: durable,
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(ackWaitMs),
    max_ack_pending: 4 * batch,
    ...(filter === undefined ? {} : { filter_subject: filter }),
  };
  await answeredInTheEnd(connection, durable, () => makeConsumer(connection, stream, durable, config, heldUpTo));
  const stopping = new AbortController();
  const remake = () => makeConsumer(connection, stream, durable, config);
  const running = run(connection, stream, durable, batch, handle, remake, stopping.signal);
  return {
    settledUpTo: () => settledUpTo(connection, stream, durable),
    failed: running.then(() => new Promise<never>(() => {})),
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await running.catch(() => {}); // `failed` has told it
    },
  };
}

/**
 * A stream whose leader was just lost answers nobody for some seconds. To make the same consumer again changes nothing.
 *
 * @throws what `make` throws, silence too after a minute of it
 */
async function answeredInTheEnd({ log }: Connection, durable: string, make: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await make();
    } catch (error) {
      const isSilence = error instanceof natsErrors.TimeoutError || error instanceof natsErrors.NoRespondersError;
      if (!isSilence || tries === triesLimit) throw error;
      log.warn({ durable, reason: messageOf(error) }, "the broker does not answer; a consumer is asked for again");
      await pause(retryMs);
    }
  }
}

/** Each waits for five seconds. */
const triesLimit = 10;

/** What is there already goes on where it stopped, unless the caller says from where it must. */
async function makeConsumer(
  connection: Connection,
  stream: StreamName,
  durable: string,
  config: Partial<ConsumerConfig>,
  heldUpTo?: number,
): Promise<void> {
  const { consumers } = connection.manager;
  const known = await consumerInfo(connection, stream, durable);
  if (known === undefined || heldUpTo === undefined) {
    if (known === undefined) await consumers.add(stream, { ...config, deliver_policy: DeliverPolicy.All });
    return;
  }
  const begin = Math.min(known.ack_floor.stream_seq, heldUpTo) + 1;
  await consumers.delete(stream, durable); // a begin is given once, when a consumer is made
  await consumers.add(stream, { ...config, deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: begin });
}

async function consumerInfo(
  { manager }: Connection,
  stream: StreamName,
  durable: string,
): Promise<ConsumerInfo | undefined> {
  try {
    return await manager.consumers.info(stream, durable);
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === consumerNotFound) return undefined;
    throw error;
  }
}

const consumerNotFound = 10014;

async function settledUpTo(connection: Connection, stream: StreamName, durable: string): Promise<number> {
  try {
    return (await consumerInfo(connection, stream, durable))?.ack_floor.stream_seq ?? 0;
  } catch (error) {
    const message = `${stream}: no answer from the broker about ${durable} (${messageOf(error)}); ask again`;
    throw new Unavailable("BROKER_SILENT", message, { stream, durable }, { cause: error });
  }
}

/** One subscription after the other: whatever ends one (the consumer deleted, the server replaced) is tried again. */
async function run(
  connection: Connection,
  stream: StreamName,
  durable: string,
  batch: number,
  handle: (batch: readonly Delivered[]) => Promise<void>,
  remake: () => Promise<void>,
  stopping: AbortSignal,
): Promise<void> {
  const { jetstream, log, nats } = connection;
  for (let isFirst = true; !stopping.aborted && !nats.isClosed(); isFirst = false) {
    try {
      if (!isFirst) await remake(); // it went with a deleted stream, or with a disk that was put back
      const consumer = await jetstream.consumers.get(stream, durable);
      const messages = await consumer.consume({ max_messages: 2 * batch, abort_on_missing_resource: true });
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
      await turn(); // what has arrived meanwhile is in the same batch, and whoever else waits for this process has had a turn
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
