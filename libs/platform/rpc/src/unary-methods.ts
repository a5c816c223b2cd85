/**
 * Unary calls as gRPC's libraries make them: one message in, one out. They pass the same layers as all others, but neither Connect's
 * streams of one message nor Node's imitation of HTTP/1 below them, which together take longer than all that a call is made for.
 */
import {
  create,
  type DescMessage,
  type DescMethod,
  type DescMethodUnary,
  fromBinary,
  type Message,
  toBinary,
} from "@bufbuild/protobuf";
import { Code, ConnectError, type Interceptor, type UnaryResponse } from "@connectrpc/connect";
import { createMethodUrl } from "@connectrpc/connect/protocol";
import { contentTypeProto, parseTimeout } from "@connectrpc/connect/protocol-grpc";
import { type AdmittedCall, callHeaders, type IncomingCall } from "./incoming-call.ts";
import type { ServedService, UnaryFunction } from "./served-service.ts";

export interface UnaryMethod {
  /** `package.Service/Method` */
  readonly name: string;
  /** @returns undefined where the bytes are no message of this method */
  readonly decode: (bytes: Uint8Array | undefined) => Message | undefined;
  /** @returns the answer as bytes. @throws ConnectError; anything else is a defect */
  readonly answer: (request: Message, call: AdmittedCall) => Promise<Uint8Array>;
}

type Layered = ReturnType<Interceptor>;

/** A timer of more, 25 days, ends at once. */
export const longestTimeoutMs = 2 ** 31 - 1;
/** Methods say nothing in headers or trailers of their own. */
const nothingSaid = new Headers();

/** By their paths. */
export function unaryMethods(
  services: readonly ServedService[],
  interceptors: readonly Interceptor[],
): ReadonlyMap<string, UnaryMethod> {
  const found = new Map<string, UnaryMethod>();
  for (const { descriptor, unary } of services) {
    for (const method of descriptor.methods) {
      if (!isUnary(method)) continue;
      const answer = unary(method.localName);
      if (answer !== undefined) found.set(createMethodUrl("/", method), unaryMethod(method, answer, interceptors));
    }
  }
  return found;
}

/** Whether a call is one that is answered here. Others, such as those in JSON, Connect knows how to answer or to refuse. */
export function isPlain({ headers }: IncomingCall): boolean {
  const { "content-type": type, "grpc-encoding": encoding = "identity" } = headers;
  const isBinary = type === "application/grpc" || type === contentTypeProto;
  return isBinary && headers[":method"] === "POST" && encoding === "identity" && timeoutOf(headers).error === undefined;
}

function isUnary(method: DescMethod): method is DescMethodUnary & DescMethod {
  return method.methodKind === "unary";
}

function unaryMethod(
  method: DescMethodUnary,
  answer: UnaryFunction,
  interceptors: readonly Interceptor[],
): UnaryMethod {
  const { parent: service, input, output } = method;
  const url = createMethodUrl("/", method);
  const invoke = async ({
    message,
    signal,
    header: requestHeader,
    contextValues: values,
  }: Parameters<Layered>[0]): Promise<UnaryResponse> => ({
    stream: false,
    service,
    method,
    header: nothingSaid,
    trailer: nothingSaid,
    message: create(output, (await answer(message as Message, { signal, values, requestHeader })) as Message),
  });
  const layered = interceptors.toReversed().reduce<Layered>((next, layer) => layer(next), invoke);
  return {
    name: `${service.typeName}/${method.name}`,
    decode(bytes) {
      try {
        return bytes && fromBinary(input, bytes);
      } catch {
        return undefined;
      }
    },
    async answer(message, call) {
      using lifetime = lifetimeOf(call);
      const response = await layered({
        stream: false,
        service,
        method,
        message,
        requestMethod: "POST",
        url,
        header: callHeaders(call),
        contextValues: call.contextValues,
        signal: lifetime.signal,
      });
      return encoded(output, response.message as Message);
    },
  };
}

/** Answers that cannot change any more: callers who ask at the same time are given the same one, and it is encoded once. */
const encodings = new WeakMap<Message, Uint8Array>();

function encoded(schema: DescMessage, message: Message): Uint8Array {
  if (!Object.isFrozen(message)) return toBinary(schema, message);
  const bytes = encodings.get(message) ?? toBinary(schema, message);
  encodings.set(message, bytes);
  return bytes;
}

/** Its signal is aborted at the deadline that the caller gave, and when it closes the call. */
function lifetimeOf({ stream, headers }: IncomingCall): { readonly signal: AbortSignal } & Disposable {
  const ended = new AbortController();
  const close = () => ended.abort(new ConnectError("the caller closed the call", Code.Canceled));
  const tooLate = () => ended.abort(new ConnectError("the operation timed out", Code.DeadlineExceeded));
  const { timeoutMs } = timeoutOf(headers);
  const timer = timeoutMs === undefined ? undefined : setTimeout(tooLate, timeoutMs);
  stream.once("close", close);
  return {
    signal: ended.signal,
    [Symbol.dispose]() {
      stream.off("close", close);
      clearTimeout(timer);
    },
  };
}

function timeoutOf(headers: IncomingCall["headers"]): ReturnType<typeof parseTimeout> {
  return parseTimeout(headers["grpc-timeout"]?.toString() ?? null, longestTimeoutMs);
}
