/** Work queues: one message is one piece of work, held by one worker at a time and handed on when the worker falls silent. */

import { setTimeout as pause } from "node:timers/promises";
import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { millis } from "@nats-io/transport-node";
import { DataLoss, messageOf } from "@pretrain/errors";
import { EvaluateWorkSchema, TrainWorkSchema } from "@pretrain/proto";
import type { Connection } from "./connection.ts";
import { decoded } from "./payload.ts";
import { send } from "./publish.ts";
import { type PulledMessage, pull } from "./pull.ts";
import type { QueueName } from "./topology.ts";

export interface WorkKind<Schema extends DescMessage> {
  readonly queue: QueueName;
  readonly schema: Schema;
}

export const work = {
  trainHigh: { queue: "train-high", schema: TrainWorkSchema },
  train: { queue: "train", schema: TrainWorkSchema },
  trainLow: { queue: "train-low", schema: TrainWorkSchema },
  evaluate: { queue: "evaluate", schema: EvaluateWorkSchema },
} as const satisfies Record<string, WorkKind<DescMessage>>;

/** Every queue of training, the most urgent one first. */
export const trainingWork = [work.trainHigh, work.train, work.trainLow] as const;

/** A piece of work in our hands. It is kept ours, without further ado, until one of the four ways to let go of it. */
export interface Piece<Message> {
  readonly message: Message;
  /** How often it has been handed out, this time included. */
  readonly deliveries: number;
  /** It is finished, well or for good. Resolves when the broker has struck it off. */
  done(): Promise<void>;
  /** Somebody is to take it again, not before `delayMs`. */
  again(delayMs: number): void;
  /** It is somebody else's already: nothing is said of it any more. */
  leave(): void;
  /** Aborted when the broker may have given it to somebody else, because it could not hear from us. */
  readonly lost: AbortSignal;
  /** Aborted when a piece of a more urgent queue is in our hands too: it comes next. */
  readonly preempted: AbortSignal;
}

export interface TakeOptions<Message> {
  readonly signal: AbortSignal;
  /** Ends the iteration when the queues have been empty for so long; 0: at the first look that finds nothing. Never if absent. */
  readonly idleMs?: number;
  /** Whether a more urgent piece is worth giving way to; asked before `preempted`. Always if absent. */
  readonly isDue?: (message: Message) => Promise<boolean>;
}

type Kinds<Schema extends DescMessage> = readonly WorkKind<Schema>[];

interface Held<Message> {
  readonly piece: Piece<Message>;
  /** Where its queue stands among the kinds; 0: no other is more urgent. */
  readonly rank: number;
  preempt(): void;
  /** Hands it back unless its taker has settled it. */
  release(): void;
}

/** How often empty queues are asked, and how soon a more urgent piece is seen. */
const pollMs = 200;
const urgentPollMs = 1_000;
const notDueMs = 5_000;
const retryMs = 1_000;

export async function enqueue<Schema extends DescMessage>(
  connection: Connection,
  kind: WorkKind<Schema>,
  message: MessageShape<Schema>,
  id: string,
): Promise<void> {
  await send(connection, `pretrain.work.${kind.queue}`, kind.schema, message, `work/${kind.queue}/${id}`);
}

export async function hasWork(connection: Connection, kind: WorkKind<DescMessage>): Promise<boolean> {
  const { waiting, inHands } = await workload(connection, kind);
  return waiting + inHands > 0;
}

/** Pieces of a queue. */
export interface Workload {
  readonly waiting: number;
  /** Handed out, and not yet done. */
  readonly inHands: number;
}

export async function workload({ manager }: Connection, { queue }: WorkKind<DescMessage>): Promise<Workload> {
  const { num_pending, num_ack_pending } = await manager.consumers.info("PRETRAIN_WORK", queue);
  return { waiting: num_pending, inHands: num_ack_pending };
}

/** @param kinds the most urgent one first */
export async function* takeWork<Schema extends DescMessage>(
  connection: Connection,
  kinds: Kinds<Schema>,
  options: TakeOptions<MessageShape<Schema>>,
): AsyncGenerator<Piece<MessageShape<Schema>>> {
  const { signal, idleMs = Number.POSITIVE_INFINITY } = options;
  let busyAt = performance.now();
  let next: Held<MessageShape<Schema>> | undefined;
  try {
    while (!signal.aborted) {
      const held = next ?? (await take(connection, kinds, signal));
      next = undefined;
      if (held === undefined) {
        if (performance.now() - busyAt >= idleMs) break;
        await pause(pollMs, undefined, { signal }).catch(() => {});
        continue;
      }
      const over = new AbortController();
      const urgent = moreUrgent(connection, kinds.slice(0, held.rank), held, options, over.signal);
      try {
        if (!signal.aborted) yield held.piece;
      } finally {
        over.abort();
        next = await urgent;
        held.release();
      }
      busyAt = performance.now();
    }
  } finally {
    next?.release();
  }
}

/** The next piece that is due, of the most urgent queue that has one. A broker that is away is asked again by the caller. */
async function take<Schema extends DescMessage>(
  connection: Connection,
  kinds: Kinds<Schema>,
  signal: AbortSignal,
): Promise<Held<MessageShape<Schema>> | undefined> {
  for (const [rank, kind] of kinds.entries()) {
    try {
      const message = await pull(connection, kind.queue);
      if (message !== undefined) return await hold(connection, kind, message, rank);
    } catch (error) {
      if (signal.aborted) return undefined;
      connection.log.warn({ queue: kind.queue, reason: messageOf(error) }, "asking for work is tried again");
      await pause(retryMs, undefined, { signal }).catch(() => {});
    }
  }
  return undefined;
}

/** Looks for a piece that goes before `held`, until there is one. */
async function moreUrgent<Schema extends DescMessage>(
  connection: Connection,
  kinds: Kinds<Schema>,
  held: Held<MessageShape<Schema>>,
  { isDue = async () => true }: TakeOptions<MessageShape<Schema>>,
  over: AbortSignal,
): Promise<Held<MessageShape<Schema>> | undefined> {
  while (kinds.length > 0 && !over.aborted) {
    await pause(urgentPollMs, undefined, { signal: over }).catch(() => {});
    if (over.aborted) break;
    const found = await take(connection, kinds, over);
    if (found === undefined) continue;
    if (await isDue(found.piece.message).catch(() => false)) {
      held.preempt();
      return found;
    }
    found.piece.again(notDueMs);
  }
  return undefined;
}

/** How long the queue waits for a word of us. */
async function ackWaitMs({ manager }: Connection, queue: string): Promise<number> {
  const { config } = await manager.consumers.info("PRETRAIN_WORK", queue);
  return millis(config.ack_wait ?? 0);
}

async function hold<Schema extends DescMessage>(
  connection: Connection,
  kind: WorkKind<Schema>,
  message: PulledMessage,
  rank: number,
): Promise<Held<MessageShape<Schema>> | undefined> {
  const { log } = connection;
  try {
    const content = decoded(kind.schema, message.data);
    return held(content, message, rank, keptOurs(connection, message, await ackWaitMs(connection, kind.queue)));
  } catch (error) {
    if (!(error instanceof DataLoss)) {
      message.again(0);
      throw error;
    }
    message.refuse();
    log.error({ queue: kind.queue, reason: messageOf(error) }, "a piece of work that cannot be read is struck off");
    return undefined;
  }
}

function held<Message>(
  content: Message,
  message: PulledMessage,
  rank: number,
  { lost, stop }: ReturnType<typeof keptOurs>,
): Held<Message> {
  const preempted = new AbortController();
  let settled = false;
  const settle = () => {
    settled = true;
    stop();
  };
  const piece: Piece<Message> = {
    message: content,
    deliveries: message.deliveries,
    lost,
    preempted: preempted.signal,
    async done() {
      settle();
      await message.done();
    },
    again(delayMs) {
      settle();
      message.again(delayMs);
    },
    leave: settle,
  };
  return {
    piece,
    rank,
    preempt: () => preempted.abort(new Error("a more urgent piece of work has come")),
    release: () => {
      if (!settled) piece.again(0);
    },
  };
}

/** Speaks for the message four times in the time that the broker waits. @returns what tells when that failed for so long */
function keptOurs({ nats }: Connection, message: PulledMessage, waitMs: number) {
  const lost = new AbortController();
  let heard = performance.now();
  const speak = setInterval(() => {
    if (performance.now() - heard > waitMs) lost.abort(new Error("the broker has not heard from us for too long"));
    void (async () => {
      message.working();
      await nats.flush(); // it answers only over a living connection
      heard = performance.now();
    })().catch(() => {});
  }, waitMs / 4);
  return { lost: lost.signal, stop: () => clearInterval(speak) };
}
