/** From an HTTP/2 request to the method that answers it. */
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { Code, ConnectError, createConnectRouter, createContextValues, type Interceptor } from "@connectrpc/connect";
import { setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import { universalRequestFromNodeRequest, universalResponseToNodeResponse } from "@connectrpc/connect-node";
import { PretrainError } from "@pretrain/errors";
import type { Log } from "@pretrain/observability";
import { type CallRecord, callRecord } from "./call-record.ts";
import { toConnectError } from "./error-status.ts";
import type { Gate } from "./gate.ts";
import { cutOffIdleReader } from "./idle-reader.ts";
import type { ObserveCall } from "./observe-calls.ts";
import type { ServedService } from "./served-service.ts";
import { blamingCaller } from "./undecodable-message.ts";

export type CallHandler = (request: Http2ServerRequest, response: Http2ServerResponse) => void;

const maximumRequestBytes = 4 * 2 ** 20;
const discardForMs = 5_000;

export interface CallHandling {
  readonly services: readonly ServedService[];
  readonly interceptors: Interceptor[];
  /** None: everybody may call everything. */
  readonly gate: Gate | undefined;
  readonly observe: ObserveCall;
  readonly log: Log;
  readonly readPatienceMs: number | undefined;
}

/** Speaks gRPC only: a second protocol would be a second one to be attacked in. */
export function handleCalls(handling: CallHandling): CallHandler {
  const { services, interceptors, log, readPatienceMs } = handling;
  const router = createConnectRouter({
    connect: false,
    grpcWeb: false,
    interceptors,
    readMaxBytes: maximumRequestBytes,
    acceptCompression: [], // 64 KiB can be 64 MiB inside: hundreds of them, unpacked at once, took more than a gigabyte
    jsonOptions: { ignoreUnknownFields: false },
  });
  for (const { register } of services) register(router);
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  return (request, response) => {
    const handler = handlers.get(request.url);
    if (handler === undefined) return refuse(response, noMethod(request.url));
    if (readPatienceMs !== undefined) cutOffIdleReader(response.stream, readPatienceMs);
    answer(handler, request, response, handling).catch((thrown: unknown) => {
      // The method's own errors were answered and logged before. What comes here could not be sent: the caller is gone.
      const { code, rawMessage } = ConnectError.from(thrown);
      log.debug({ path: request.url, code: Code[code], reason: rawMessage }, "the answer could not be sent");
    });
  };
}

type Handler = ReturnType<typeof createConnectRouter>["handlers"][number];

async function answer(
  handler: Handler,
  request: Http2ServerRequest,
  response: Http2ServerResponse,
  handling: CallHandling,
): Promise<void> {
  const contextValues = createContextValues();
  const asked = universalRequestFromNodeRequest(request, response, undefined, contextValues);
  const record = await admitted(handler, request, response, handling);
  if (record === "refused") return;
  contextValues.set(callRecord, record);
  response.stream.once("finish", () => discardRest(response));
  let trailer: Headers | undefined;
  response.stream.once("close", () => {
    const code = Number(trailer?.get("grpc-status") ?? Code.Canceled);
    handling.gate?.audit(handler.method, record, record?.isDone === true ? 0 : code);
  });
  const answered = await handler({ ...asked, signal: canceledByCaller(asked.signal) });
  trailer = answered.trailer;
  await universalResponseToNodeResponse(blamingCaller(answered, handler.method), response);
}

/** Before a byte of the message is read. */
async function admitted(
  { method }: Handler,
  request: Http2ServerRequest,
  response: Http2ServerResponse,
  { gate, observe }: CallHandling,
): Promise<CallRecord | "refused" | undefined> {
  if (gate === undefined) return undefined;
  const ended = observe(`${method.parent.typeName}/${method.name}`);
  try {
    const { record, end } = await gate.admit(method, request);
    if (response.stream.closed) end();
    else response.stream.once("close", end);
    return record;
  } catch (error) {
    if (!(error instanceof PretrainError)) throw error;
    const refusal = toConnectError(error);
    refuse(response, refusal);
    ended(refusal.code);
    return "refused";
  }
}

/**
 * Aborted when the request's stream is closed, always as CANCELED: a caller's reset carries whatever code its library chose (Connect's
 * own client says INTERNAL_ERROR at its deadline), and would be counted as a defect of this server.
 */
function canceledByCaller(closed: AbortSignal): AbortSignal {
  const canceled = new AbortController();
  const cancel = () => canceled.abort(new ConnectError("the caller closed the call", Code.Canceled));
  closed.addEventListener("abort", cancel, { once: true });
  if (closed.aborted) cancel();
  return canceled.signal;
}

/**
 * A caller may still be sending what was refused after its first bytes, and keeps the stream open until it is through. What comes
 * is thrown away, for a while; an RST_STREAM at once would overtake the trailers that say why it was refused (seen on Node 26).
 */
function discardRest({ stream }: Http2ServerResponse): void {
  stream.removeAllListeners("data").resume(); // the listener of the request would stop the flow again
  const impatience = setTimeout(() => stream.close(), discardForMs).unref();
  stream.once("close", () => clearTimeout(impatience));
}

function noMethod(url: string): ConnectError {
  return new ConnectError(`there is no method ${url.slice(0, 200)} here`, Code.Unimplemented);
}

/** One frame of headers that ends the stream: followed by an empty one it would be an answer whose trailers are missing. */
function refuse(response: Http2ServerResponse, error: ConnectError): void {
  const headers = new Headers({ "content-type": "application/grpc" });
  setTrailerStatus(headers, error);
  if (response.stream.closed) return; // the caller is gone
  response.stream.once("finish", () => discardRest(response));
  response.stream.respond({ ":status": 200, ...Object.fromEntries(headers) }, { endStream: true });
}
