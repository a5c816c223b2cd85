/** Publishing: one message, its identity in the header, resolved when it is on the broker's disk. */
import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { JetStreamApiError } from "@nats-io/jetstream";
import { headers } from "@nats-io/transport-node";
import { messageOf, ResourceExhausted, Unavailable } from "@pretrain/errors";
import type { Connection } from "./connection.ts";
import type { EventKind } from "./event-kinds.ts";
import { encoded } from "./payload.ts";
import { refusalOf } from "./refusal.ts";

const ackTimeoutMs = 5000;

export function publish<Schema extends DescMessage>(
  connection: Connection,
  kind: EventKind<string, Schema>,
  message: MessageShape<Schema>,
): Promise<{ readonly duplicate: boolean }> {
  return send(connection, kind.subject(message), kind.schema, message, kind.messageId(message));
}

/**
 * @throws Unavailable when it is unknown whether the broker has it; ResourceExhausted when the broker says that it is full;
 * PermissionDenied when this process may not publish it
 */
export async function send<Schema extends DescMessage>(
  { jetstream }: Connection,
  subject: string,
  schema: Schema,
  message: MessageShape<Schema>,
  messageId: string,
): Promise<{ readonly duplicate: boolean }> {
  const described = headers();
  described.set("Content-Type", "application/json");
  described.set("Pretrain-Schema", schema.typeName);
  try {
    const ack = await jetstream.publish(subject, encoded(schema, message), {
      msgID: messageId,
      headers: described,
      timeout: ackTimeoutMs,
    });
    return { duplicate: ack.duplicate };
  } catch (error) {
    throw refusalOf(error) ?? publishError(error, subject, messageId);
  }
}

function publishError(error: unknown, subject: string, messageId: string): unknown {
  if (error instanceof JetStreamApiError && isFull(error.code)) {
    return new ResourceExhausted(
      "BROKER_FULL",
      `${subject}: the broker has no room (${error.message}); free some on its disk`,
      { subject, messageId },
      { cause: error },
    );
  }
  return new Unavailable(
    "PUBLISH_UNKNOWN",
    `${subject}: no answer from the broker to ${messageId} (${messageOf(error)}); publish it again`,
    { subject, messageId },
    { cause: error },
  );
}

/** 10023 insufficient resources, 10047 storage of the account, 10077 the stream's maximum. */
function isFull(code: number): boolean {
  return code === 10023 || code === 10047 || code === 10077;
}
