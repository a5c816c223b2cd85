/** An event as a record of the spool: the name of its kind, a blank, and the message as JSON. */
import { type DescMessage, fromJsonString, type Message, type MessageShape, toJsonString } from "@bufbuild/protobuf";
import { type EventKind, events, type KindName } from "@pretrain/events";

export interface SpooledEvent {
  readonly kind: EventKind<string, DescMessage>;
  readonly message: Message;
}

export function spooled<Schema extends DescMessage>(
  kind: EventKind<KindName, Schema>,
  message: MessageShape<Schema>,
): Uint8Array {
  return new TextEncoder().encode(`${kind.kind} ${toJsonString(kind.schema, message)}`);
}

/** @throws Error when the bytes are no event: an earlier version of this program wrote them */
export function readSpooled(bytes: Uint8Array): SpooledEvent {
  const text = new TextDecoder().decode(bytes);
  const [name = ""] = text.split(" ", 1);
  if (!isKind(name)) throw new Error(`"${name.slice(0, 40)}" is no kind of event`);
  const kind: EventKind<string, DescMessage> = events[name];
  return { kind, message: fromJsonString(kind.schema, text.slice(name.length + 1)) };
}

function isKind(name: string): name is KindName {
  return Object.hasOwn(events, name);
}
