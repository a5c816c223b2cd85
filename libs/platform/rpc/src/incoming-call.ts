/** A call as HTTP/2 brings it, before anything is known of it. */
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { Code, ContextValues } from "@connectrpc/connect";

export interface IncomingCall {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turns, as they were sent. */
  readonly rawHeaders: readonly string[];
}

/** One that was let in. */
export interface AdmittedCall extends IncomingCall {
  readonly contextValues: ContextValues;
  /** What it ended with, as far as it has; 0: it succeeded. */
  status: () => Code | 0;
}

/** gRPC's headers without those of HTTP/2 itself. */
export function callHeaders({ headers }: IncomingCall): Headers {
  const found = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(":") || value === undefined) continue;
    if (typeof value === "string") found.set(name, value);
    else for (const each of value) found.append(name, each);
  }
  return found;
}
