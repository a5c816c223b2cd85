/** From an HTTP/2 request to the method that answers it. */
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { Code, ConnectError, createConnectRouter, type Interceptor } from "@connectrpc/connect";
import {
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";
import type { Log } from "@pretrain/observability";
import { cutOffIdleReader } from "./idle-reader.ts";
import type { ServedService } from "./served-service.ts";

export type CallHandler = (request: Http2ServerRequest, response: Http2ServerResponse) => void;

const maximumRequestBytes = 4 * 2 ** 20;
const discardForMs = 5_000;

/** Speaks gRPC only: a second protocol would be a second one to be attacked in. */
export function handleCalls(
  services: readonly ServedService[],
  interceptors: Interceptor[],
  log: Log,
  readPatienceMs: number | undefined,
): CallHandler {
  const router = createConnectRouter({
    connect: false,
    grpcWeb: false,
    interceptors,
    readMaxBytes: maximumRequestBytes,
    acceptCompression: [compressionGzip],
    jsonOptions: { ignoreUnknownFields: false },
  });
  for (const { register } of services) register(router);
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  return (request, response) => {
    const handler = handlers.get(request.url);
    if (handler === undefined) return unimplemented(request, response);
    if (readPatienceMs !== undefined) cutOffIdleReader(response.stream, readPatienceMs);
    answer(handler, request, response).catch((thrown: unknown) => {
      // The method's own errors were answered and logged before. What comes here could not be sent: the caller is gone.
      const { code, rawMessage } = ConnectError.from(thrown);
      log.debug({ path: request.url, code: Code[code], reason: rawMessage }, "the answer could not be sent");
    });
  };
}

type Handler = ReturnType<typeof createConnectRouter>["handlers"][number];

async function answer(handler: Handler, request: Http2ServerRequest, response: Http2ServerResponse): Promise<void> {
  response.stream.once("finish", () => discardRest(response));
  const asked = universalRequestFromNodeRequest(request, response, undefined, undefined);
  const answered = await handler({ ...asked, signal: canceledByCaller(asked.signal) });
  await universalResponseToNodeResponse(answered, response);
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

function unimplemented(request: Http2ServerRequest, response: Http2ServerResponse): void {
  const message = encodeURIComponent(`there is no method ${request.url.slice(0, 200)} here`);
  response.writeHead(200, {
    "content-type": "application/grpc",
    "grpc-status": String(Code.Unimplemented),
    "grpc-message": message,
  });
  response.stream.once("finish", () => discardRest(response));
  response.end();
}
