/** What the page can ask for beside reading: a request as JSON, an answer as JSON, or several that come one by one. */
import {
  type DescMessage,
  fromJson,
  type JsonValue,
  type MessageInitShape,
  type MessageShape,
  toJson,
} from "@bufbuild/protobuf";
import { InvalidArgument, messageOf } from "@pretrain/errors";

export interface Asking {
  /** Ends what is being done: the reader has gone. */
  readonly signal: AbortSignal;
  /** By which a peer knows whoever asks; empty where everybody may. */
  readonly headers: Readonly<Record<string, string>>;
}

export type Action =
  | { readonly answer: (body: JsonValue, asking: Asking) => Promise<JsonValue> }
  | { readonly stream: (body: JsonValue, asking: Asking) => AsyncIterable<JsonValue> };

interface Call extends Asking {
  readonly timeoutMs: number;
}

/**
 * A unary method of a peer: its request and its answer as ProtoJSON.
 * @param timeoutMs how long the peer may take; a page waits no longer
 */
export function unary<Request extends DescMessage, Response extends DescMessage>(
  request: Request,
  response: Response,
  timeoutMs: number,
  call: (request: MessageInitShape<Request>, call: Call) => Promise<MessageShape<Response>>,
): Action {
  return {
    answer: async (body, asking) => toJson(response, await call(messageIn(request, body), { ...asking, timeoutMs })),
  };
}

/** A method of a peer that answers bit by bit. */
export function streaming<Request extends DescMessage, Response extends DescMessage>(
  request: Request,
  response: Response,
  call: (request: MessageInitShape<Request>, asking: Asking) => AsyncIterable<MessageShape<Response>>,
): Action {
  return {
    async *stream(body, asking) {
      for await (const message of call(messageIn(request, body), asking)) yield toJson(response, message);
    },
  };
}

/** @throws InvalidArgument when the body is no such message */
export function messageIn<Schema extends DescMessage>(schema: Schema, body: JsonValue): MessageShape<Schema> {
  try {
    return fromJson(schema, body);
  } catch (error) {
    throw new InvalidArgument([{ field: "body", description: messageOf(error) }], { cause: error });
  }
}
