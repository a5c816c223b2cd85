/** A message of a stream as an event, or nothing when it is none that can be read: one bad message must not stop a consumer. */
import type { JsMsg } from "@nats-io/jetstream";
import { messageOf } from "@pretrain/errors";
import type { Log } from "@pretrain/observability";
import { type Delivered, events, type KindName } from "./event-kinds.ts";
import { decoded } from "./payload.ts";
import type { StreamName } from "./topology.ts";

export function delivered(stream: StreamName, message: JsMsg, log: Log): Delivered[] {
  const kind = message.subject.split(".")[3];
  if (!isKind(kind) || events[kind].stream !== stream) {
    log.warn({ stream, subject: message.subject, sequence: message.seq }, "an event of unknown kind is passed over");
    return [];
  }
  try {
    return [eventOf(kind, stream, message)];
  } catch (error) {
    log.error(
      { stream, subject: message.subject, sequence: message.seq, reason: messageOf(error) },
      "an event that cannot be read is passed over",
    );
    return [];
  }
}

function isKind(kind: string | undefined): kind is KindName {
  return kind !== undefined && Object.hasOwn(events, kind);
}

/** The kind and the message belong together because both come from the same entry of the table. */
function eventOf(kind: KindName, stream: StreamName, message: JsMsg): Delivered {
  const content = decoded(events[kind].schema, message.data);
  return {
    kind,
    message: content,
    stream,
    streamSequence: message.seq,
    deliveries: message.info.deliveryCount,
  } as Delivered;
}
