/** What a caller is sent over HTTP/2 that is not a stream of messages: one message, or an error. */
import type { ServerHttp2Stream } from "node:http2";
import type { ConnectError } from "@connectrpc/connect";
import { contentTypeProto, setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import { Crumbs } from "./crumbs.ts";
import { framed } from "./single-message.ts";

const discardForMs = 5_000;

export function sendMessage(stream: ServerHttp2Stream, message: Uint8Array): void {
  if (stream.closed) return; // the caller is gone
  stream.respond({ ":status": 200, "content-type": contentTypeProto }, { waitForTrailers: true });
  stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  stream.end(framed(message));
}

/** One frame of headers that ends the stream: followed by an empty one it would be an answer whose trailers are missing. */
export function sendError(stream: ServerHttp2Stream, error: ConnectError): void {
  if (stream.closed) return; // the caller is gone
  const headers = new Headers({ "content-type": contentTypeProto });
  setTrailerStatus(headers, error);
  stream.once("finish", () => discardRest(stream));
  stream.respond({ ":status": 200, ...Object.fromEntries(headers) }, { endStream: true });
}

/**
 * A caller may still be sending what was refused after its first bytes, and keeps the stream open until it is through. What comes
 * is thrown away, for a while; an RST_STREAM at once would overtake the trailers that say why it was refused (seen on Node 26).
 */
export function discardRest(stream: ServerHttp2Stream): void {
  const crumbs = new Crumbs(stream);
  stream.removeAllListeners("data"); // the listener of the request would stop the flow again
  stream.on("data", (piece: Buffer) => void crumbs.isTooMuch(piece)).resume();
  const impatience = setTimeout(() => stream.close(), discardForMs).unref();
  stream.once("close", () => clearTimeout(impatience));
}
