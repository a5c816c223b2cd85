/** What a broker holds, as lines of text, and a broker that holds it again. */
import { jetstream, jetstreamManager, RetentionPolicy } from "@nats-io/jetstream";
import { connect, headers, type MsgHdrs } from "@nats-io/transport-node";

interface StoredMessage {
  readonly stream: string;
  readonly subject: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** Every message of every stream (a bucket is one too), in the order of its stream, one line of JSON each. */
export async function storedMessages(natsUrl: string): Promise<string> {
  const nats = await connect({ servers: natsUrl });
  const lines: string[] = [];
  try {
    const manager = await jetstreamManager(nats);
    for await (const { config, state } of manager.streams.list()) {
      for (let sequence = state.first_seq; sequence <= state.last_seq; sequence += 1) {
        const message = await manager.streams.getMessage(config.name, { seq: sequence }).catch(() => null);
        if (message === null) continue; // of a bucket, replaced by a later value
        const stored: StoredMessage = {
          stream: config.name,
          subject: message.subject,
          headers: plain(message.header),
          text: message.string(),
        };
        lines.push(`${JSON.stringify(stored)}\n`);
      }
    }
  } finally {
    await nats.close();
  }
  return lines.join("");
}

function plain(found: MsgHdrs): Record<string, string> {
  return Object.fromEntries(found.keys().map((key) => [key, found.get(key)]));
}

/** Publishes them again, into streams that are there. Pieces of work are the services' own to make anew. */
export async function publishStored(natsUrl: string, lines: string): Promise<void> {
  const nats = await connect({ servers: natsUrl });
  try {
    const [client, manager] = [jetstream(nats), await jetstreamManager(nats)];
    for (const line of lines.trimEnd().split("\n")) {
      const { stream, subject, headers: named, text } = JSON.parse(line) as StoredMessage;
      const { config } = await manager.streams.info(stream);
      if (config.retention === RetentionPolicy.Workqueue) continue;
      const described = headers();
      for (const [key, value] of Object.entries(named))
        if (!key.startsWith("Nats-Expected-")) described.set(key, value); // a condition of that time, which was met
      await client.publish(subject, text, { headers: described });
    }
  } finally {
    await nats.close();
  }
}
