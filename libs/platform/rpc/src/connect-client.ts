/** A typed client of one service. Its errors are the errors that the service threw. */
import type { DescService } from "@bufbuild/protobuf";
import { type CallOptions, type Client, createClient, type Interceptor, type Transport } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { Unavailable } from "@pretrain/errors";
import type { TlsMaterial } from "@pretrain/tls";
import { translated } from "./call-streams.ts";
import { fromConnectError } from "./error-status.ts";
import { renewingTransport } from "./renewing-transport.ts";
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
  /** Whom to believe, and the certificate by which the service knows this process. None: a service of this machine, without TLS. */
  readonly tls?: ClientTls | undefined;
  /** `Bearer …`, shown with every call that has no such header of its own. */
  readonly authorization?: string | undefined;
}

/** `Tls` of a process is one; people have no certificate, and show a key. */
export interface ClientTls {
  readonly material: Pick<TlsMaterial, "authority"> & Partial<TlsMaterial>;
  /** Called with what to do when `material` is another one. */
  onChange?(listener: () => void): void;
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
  options: ClientOptions = {},
): PretrainClient<S> {
  const { streamSilenceMs, tls } = options;
  const { transport, close } = renewingTransport(() => openTransport(address, options), tls?.onChange?.bind(tls));
  const client = createClient(descriptor, withOwnErrors(transport, address));
  return Object.assign(client, streamsEndedByReader(descriptor, client, { address, streamSilenceMs }), {
    [Symbol.dispose]: close,
  });
}

function openTransport(address: string, { maximumResponseBytes = 4 * 2 ** 20, tls, authorization }: ClientOptions) {
  const baseUrl = `${tls === undefined ? "http" : "https"}://${address}`;
  // Pings only while calls are open: others' servers answer more with GOAWAY too_many_pings.
  const pings = { pingIntervalMs: 30_000, pingTimeoutMs: 15_000 };
  const sessionManager = new Http2SessionManager(baseUrl, pings, tls && secureOptions(tls));
  const transport = createGrpcTransport({
    baseUrl,
    sessionManager,
    readMaxBytes: maximumResponseBytes,
    acceptCompression: [],
    interceptors: [traceCalls(), ...(authorization === undefined ? [] : [showing(authorization)])],
  });
  return { transport, close: () => sessionManager.abort() };
}

function secureOptions({ material: { authority, certificate, key } }: ClientTls) {
  const own = certificate === undefined || key === undefined ? {} : { cert: certificate, key };
  return { ca: authority, ...own, minVersion: "TLSv1.3" } as const;
}

function showing(authorization: string): Interceptor {
  return (next) => (request) => {
    if (!request.header.has("authorization")) request.header.set("authorization", authorization);
    return next(request);
  };
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
