/**
 * Asking a queue's consumer for the next message without waiting: with several queues, the most urgent one is asked first, and a
 * request that waits would hold up the others. The client's own `next` waits a second at least, so this speaks the protocol.
 */
import { type Msg, nanos } from "@nats-io/transport-node";
import { Unavailable } from "@pretrain/errors";
import type { Connection } from "./connection.ts";

/** A message that is ours until it is settled, or until the consumer's wait for a word of us is over. */
export interface PulledMessage {
  readonly data: Uint8Array;
  /** How often it has been handed out, this time included. */
  readonly deliveries: number;
  /** Says that it is being worked on. */
  working(): void;
  /** Strikes it off. Resolves when the broker has. @throws Unavailable when it does not say so */
  done(): Promise<void>;
  /** It is to be handed out again, not before `delayMs`. */
  again(delayMs: number): void;
  /** Strikes it off as unusable. */
  refuse(): void;
}

const stream = "PRETRAIN_WORK";
const answerMs = 5_000;
const noMessages = 404;

/** Undefined when the queue has none that is due. @throws Error when the broker does not answer, or has no such queue */
export async function pull({ nats }: Connection, queue: string): Promise<PulledMessage | undefined> {
  const request = JSON.stringify({ batch: 1, no_wait: true });
  const message = await nats.request(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${queue}`, request, {
    timeout: answerMs,
    noMux: true, // a piece of work arrives under its own subject, not under the one that answers are told apart by
  });
  const { code = 0, description = "" } = message.headers ?? {};
  if (code === noMessages) return undefined;
  if (code !== 0) {
    throw new Unavailable("QUEUE_SILENT", `${queue}: the broker gives no work: ${code} ${description}`, { queue });
  }
  return pulled({ nats }, message);
}

function pulled({ nats }: Pick<Connection, "nats">, { data, reply = "" }: Msg): PulledMessage {
  const answer = (word: string) => nats.publish(reply, word);
  return {
    data,
    deliveries: deliveriesOf(reply),
    working: () => answer("+WPI"),
    done: async () => void (await nats.request(reply, "+ACK", { timeout: answerMs })),
    again: (delayMs) => answer(delayMs > 0 ? `-NAK ${JSON.stringify({ delay: nanos(delayMs) })}` : "-NAK"),
    refuse: () => answer("+TERM"),
  };
}

/** `$JS.ACK.<stream>.<consumer>.<deliveries>.…`, with domain and account before the stream where the server has them. */
function deliveriesOf(reply: string): number {
  const tokens = reply.split(".");
  return Number(tokens[tokens.length === 9 ? 4 : 6]);
}
