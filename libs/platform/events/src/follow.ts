/** The events of one experiment for somebody who watches: nothing is acknowledged, nothing is kept for him when he goes. */
import { DeliverPolicy } from "@nats-io/jetstream";
import type { Connection } from "./connection.ts";
import { delivered } from "./delivered.ts";
import { type Delivered, events, type KindName, subjectsOf } from "./event-kinds.ts";
import type { StreamName } from "./topology.ts";

export interface FollowOptions<Kinds extends KindName> {
  /** `experiments/{id}`; all experiments if absent. */
  readonly experiment?: string;
  /** All of one stream. */
  readonly kinds: readonly [Kinds, ...Kinds[]];
  /** `new`: what comes from now on. `all`: what the stream still holds, then what comes. */
  readonly from: "new" | "all";
}

export async function* follow<Kinds extends KindName>(
  connection: Connection,
  { experiment, kinds, from }: FollowOptions<Kinds>,
  signal: AbortSignal,
): AsyncGenerator<Delivered<Kinds>> {
  const stream: StreamName = events[kinds[0]].stream;
  if (signal.aborted) return;
  const subjects = kinds.map((kind) => subjectsOf(kind, experiment));
  const consumer = await connection.jetstream.consumers.get(stream, {
    // One alone stands in the request's subject, where a broker with permissions can see what is asked for.
    filter_subjects: kinds.length === 1 ? subjectsOf(kinds[0], experiment) : subjects,
    deliver_policy: from === "all" ? DeliverPolicy.All : DeliverPolicy.New,
  });
  const messages = await consumer.consume({ max_messages: 256 });
  const stop = () => messages.stop();
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  try {
    for await (const message of messages) {
      for (const event of delivered(stream, message, connection.log)) yield event as Delivered<Kinds>;
    }
  } finally {
    signal.removeEventListener("abort", stop);
    await messages.close();
    await consumer.delete();
  }
}
