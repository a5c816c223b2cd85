/** Work queues: one message is one piece of work, held by one worker at a time and handed on when the worker falls silent. */

import { setTimeout as pause } from "node:timers/promises";
import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import type { JsMsg } from "@nats-io/jetstream";
import { messageOf } from "@pretrain/errors";
import { EvaluateWorkSchema, TrainWorkSchema } from "@pretrain/proto";
import type { Connection } from "./connection.ts";
import { decoded } from "./payload.ts";
import { send } from "./publish.ts";
import { workAckWaitMs } from "./topology.ts";

export interface WorkKind<Schema extends DescMessage> {
  readonly queue: "train" | "evaluate";
  readonly schema: Schema;
}

export const work = {
  train: { queue: "train", schema: TrainWorkSchema },
  evaluate: { queue: "evaluate", schema: EvaluateWorkSchema },
} as const satisfies Record<string, WorkKind<DescMessage>>;

/** A piece of work in our hands. It is kept ours, without further ado, until one of the three ways to let go of it. */
export interface Piece<Message> {
  readonly message: Message;
  /** How often it has been handed out, this time included. */
  readonly deliveries: number;
  /** It is finished, well or for good. Resolves when the broker has struck it off. */
  done(): Promise<void>;
  /** Somebody is to take it again, not before `delayMs`. */
  again(delayMs: number): void;
  /** Aborted when the broker may have given it to somebody else, because it could not hear from us. */
  readonly lost: AbortSignal;
}

export interface TakeOptions {
  readonly signal: AbortSignal;
  /** Ends the iteration when the queue has been empty for so long. Never if absent. */
  readonly idleMs?: number;
}

const pollMs = 1000;
const keepAliveMs = workAckWaitMs / 4;

export async function enqueue<Schema extends DescMessage>(
  connection: Connection,
  kind: WorkKind<Schema>,
  message: MessageShape<Schema>,
  id: string,
): Promise<void> {
  await send(connection, `pretrain.work.${kind.queue}`, kind.schema, message, `work/${kind.queue}/${id}`);
}

export async function hasWork({ manager }: Connection, { queue }: WorkKind<DescMessage>): Promise<boolean> {
  const { num_pending, num_ack_pending } = await manager.consumers.info("PRETRAIN_WORK", queue);
  return num_pending + num_ack_pending > 0;
}

export async function* takeWork<Schema extends DescMessage>(
  connection: Connection,
  kind: WorkKind<Schema>,
  { signal, idleMs = Number.POSITIVE_INFINITY }: TakeOptions,
): AsyncGenerator<Piece<MessageShape<Schema>>> {
  let busyAt = performance.now();
  while (!signal.aborted && performance.now() - busyAt < idleMs) {
    const message = await nextMessage(connection, kind.queue, signal);
    if (message === undefined) continue;
    if (signal.aborted) return message.nak();
    const held = hold(connection, kind, message);
    if (held === undefined) continue;
    try {
      yield held.piece;
    } finally {
      held.release();
    }
    busyAt = performance.now();
  }
}

/** Waits a short while; a broker that is away is asked again. */
async function nextMessage(
  { jetstream, log }: Connection,
  queue: string,
  signal: AbortSignal,
): Promise<JsMsg | undefined> {
  try {
    const consumer = await jetstream.consumers.get("PRETRAIN_WORK", queue);
    return (await consumer.next({ expires: pollMs })) ?? undefined;
  } catch (error) {
    if (signal.aborted) return undefined;
    log.warn({ queue, reason: messageOf(error) }, "asking for work is tried again");
    await pause(pollMs, undefined, { signal }).catch(() => {});
    return undefined;
  }
}

function hold<Schema extends DescMessage>({ log, nats }: Connection, kind: WorkKind<Schema>, message: JsMsg) {
  const lost = new AbortController();
  let heard = performance.now();
  let settled = false;
  const keepAlive = setInterval(
    () =>
      void (async () => {
        message.working();
        await nats.flush(); // it answers only over a living connection
        heard = performance.now();
      })().catch(() => {}),
    keepAliveMs,
  );
  const watch = setInterval(() => {
    if (performance.now() - heard > workAckWaitMs)
      lost.abort(new Error("the broker has not heard from us for too long"));
  }, pollMs);
  const settle = () => {
    settled = true;
    clearInterval(keepAlive);
    clearInterval(watch);
  };
  try {
    const piece: Piece<MessageShape<Schema>> = {
      message: decoded(kind.schema, message.data),
      deliveries: message.info.deliveryCount,
      lost: lost.signal,
      async done() {
        settle();
        await message.ackAck();
      },
      again(delayMs) {
        settle();
        message.nak(delayMs);
      },
    };
    /** A piece that its taker has not settled goes back at once. */
    const release = () => {
      if (!settled) piece.again(0);
    };
    return { piece, release };
  } catch (error) {
    settle();
    message.term();
    log.error({ queue: kind.queue, reason: messageOf(error) }, "a piece of work that cannot be read is struck off");
    return undefined;
  }
}
