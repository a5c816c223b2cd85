/** A typed client of one service. Its errors are the errors that the service threw. */
import type { DescService } from "@bufbuild/protobuf";
import { type CallOptions, type Client, createClient, type Transport } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { Unavailable } from "@pretrain/errors";
import type { Tls } from "@pretrain/tls";
import { translated } from "./call-streams.ts";
import { fromConnectError } from "./error-status.ts";
import { traceCalls } from "./trace-calls.ts";

/** Disposing closes the connection and cuts the calls in flight. */
export type PretrainClient<S extends DescService> = Client<S> & Disposable;

export interface ClientOptions {
  /** Longest message that is accepted, 4 MiB if not given. A stream of batches needs more. */
  readonly maximumResponseBytes?: number;
  /**
   * How long, in milliseconds, a stream may give nothing while its reader waits; it is Unavailable then. For streams that always
   * have a next message; without it one that watches may be silent for days.
   */
  readonly streamSilenceMs?: number;
  /** Of this process: the service knows it by that. None: a service on this machine that asks nobody who they are. */
  readonly tls?: Tls | undefined;
}

const unaryDeadlineMs = 30_000;

/**
 * Connects at the first call, and again whenever the connection was lost. Unary calls have a deadline of 30 s unless
 * `timeoutMs` is given with the call; streams have none, and end when
 * their reader leaves the loop or its `signal` is aborted.
 *
 * Every method throws the PretrainError that the service threw; Unavailable when it cannot be reached, drains, or does not answer
 * in time.
 */
export function connectClient<S extends DescService>(
  descriptor: S,
  address: string,
  { maximumResponseBytes = 4 * 2 ** 20, streamSilenceMs }: ClientOptions = {},
): PretrainClient<S> {
  const baseUrl = `http://${address}`;
  // Pings only while calls are open: others' servers answer more with GOAWAY too_many_pings.
  const sessionManager = new Http2SessionManager(baseUrl, { pingIntervalMs: 30_000, pingTimeoutMs: 15_000 });
  const transport = createGrpcTransport({
    baseUrl,
    sessionManager,
    readMaxBytes: maximumResponseBytes,
    acceptCompression: [],
    interceptors: [traceCalls()],
  });
  const client = createClient(descriptor, withOwnErrors(transport, address));
  return Object.assign(client, streamsEndedByReader(descriptor, client, { address, streamSilenceMs }), {
    [Symbol.dispose]: () => sessionManager.abort(),
  });
}

type StreamCall = (request: unknown, options?: CallOptions) => AsyncIterable<unknown>;

/** Connect's own streams go on, unread, when their reader leaves the loop. These end. */
function streamsEndedByReader<S extends DescService>(
  descriptor: S,
  client: Client<S>,
  limits: StreamLimits,
): Record<string, StreamCall> {
  const streaming = descriptor.methods.filter(({ methodKind }) => methodKind.endsWith("streaming"));
  const calls: readonly (readonly [string, StreamCall])[] = streaming
    .filter(({ methodKind }) => methodKind !== "client_streaming") // answers once, like a unary call
    .map(({ localName }) => {
      const call = Reflect.get(client, localName) as StreamCall;
      return [localName, (request, options) => endedByReader(call, request, options, limits)];
    });
  return Object.fromEntries(calls);
}

interface StreamLimits {
  readonly address: string;
  readonly streamSilenceMs: number | undefined;
}

async function* endedByReader(
  call: StreamCall,
  request: unknown,
  options: CallOptions = {},
  limits: StreamLimits,
): AsyncGenerator<unknown> {
  const reading = new AbortController();
  const signal = options.signal === undefined ? reading.signal : AbortSignal.any([options.signal, reading.signal]);
  const messages = call(request, { ...options, signal })[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await withoutSilence(messages.next(), limits);
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    reading.abort();
  }
}

/** A service that lives and does nothing answers pings; only its silence tells. */
async function withoutSilence<T>(next: Promise<T>, { address, streamSilenceMs }: StreamLimits): Promise<T> {
  if (streamSilenceMs === undefined) return await next;
  const silence = Promise.withResolvers<never>();
  const message = `${address}: its stream has been silent for ${streamSilenceMs / 1000} s; call again`;
  const late = new Unavailable("STREAM_SILENT", message, { address });
  const timer = setTimeout(() => silence.reject(late), streamSilenceMs);
  try {
    return await Promise.race([next, silence.promise]);
  } finally {
    clearTimeout(timer);
    next.catch(() => undefined); // the reader ends the stream, and has been told
  }
}

function withOwnErrors(transport: Transport, address: string): Transport {
  const translateFor = (signal: AbortSignal | undefined) => (thrown: unknown) =>
    fromConnectError(thrown, address, signal?.aborted === true);
  return {
    async unary(method, signal, timeoutMs, header, input, contextValues) {
      const translate = translateFor(signal);
      try {
        return await transport.unary(method, signal, timeoutMs ?? unaryDeadlineMs, header, input, contextValues);
      } catch (thrown) {
        throw translate(thrown);
      }
    },
    async stream(method, signal, timeoutMs, header, input, contextValues) {
      const translate = translateFor(signal);
      try {
        const response = await transport.stream(method, signal, timeoutMs, header, input, contextValues);
        return { ...response, message: translated(response.message, translate) };
      } catch (thrown) {
        throw translate(thrown);
      }
    },
  };
}
