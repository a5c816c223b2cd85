/** Calls that Connect answers: streams, and unary ones that are not as they should be. */
import { Http2ServerRequest, Http2ServerResponse, type ServerHttp2Stream } from "node:http2";
import { Code, ConnectError, type createConnectRouter } from "@connectrpc/connect";
import { universalRequestFromNodeRequest, universalResponseToNodeResponse } from "@connectrpc/connect-node";
import { Crumbs } from "./crumbs.ts";
import type { AdmittedCall } from "./incoming-call.ts";
import { discardRest } from "./send-answer.ts";
import { blamingCaller } from "./undecodable-message.ts";

export type Handler = ReturnType<typeof createConnectRouter>["handlers"][number];

/** @param received all of the request, or enough of it to know that it is too long. Absent: the method takes a stream */
export async function answerByConnect(handler: Handler, call: AdmittedCall, received?: Uint8Array): Promise<void> {
  const { stream, headers, rawHeaders, contextValues } = call;
  const request = new Http2ServerRequest(stream, headers, {}, rawHeaders);
  const response = new Http2ServerResponse(stream);
  const asked = universalRequestFromNodeRequest(request, response, undefined, contextValues);
  stream.once("finish", () => discardRest(stream));
  const body = received === undefined ? withoutCrumbs(request, stream) : only(received);
  const answered = await handler({ ...asked, body, signal: canceledByCaller(asked.signal) });
  call.status = () => Number(answered.trailer?.get("grpc-status") ?? Code.Canceled);
  await universalResponseToNodeResponse(blamingCaller(answered, handler.method), response);
}

async function* withoutCrumbs(body: AsyncIterable<Uint8Array>, stream: ServerHttp2Stream): AsyncGenerator<Uint8Array> {
  const crumbs = new Crumbs(stream);
  for await (const piece of body) {
    if (crumbs.isTooMuch(piece)) return;
    yield piece;
  }
}

async function* only(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
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
