/**
 * The addresses by which the page acts, `POST /api/actions/{action}`. Only the page itself is let through (see `serveHttp`); what it
 * asks for is done by the service that owns it, over gRPC, and what that one refuses is answered with its fields.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { JsonValue } from "@bufbuild/protobuf";
import { PretrainError } from "@pretrain/errors";
import type { Log, Route } from "@pretrain/observability";
import { errorBody, refuse } from "../refuse.ts";
import type { Action, Asking } from "./action.ts";
import { jsonBody } from "./json-body.ts";

/** @param headersOf what peers are told of whoever asks: they judge that person, not this service */
export function actionRoutes(
  actions: Readonly<Record<string, Action>>,
  headersOf: (request: IncomingMessage, url: URL) => Asking["headers"],
  log: Log,
): Route[] {
  return Object.entries(actions).map(([name, action]) => ({
    path: `/api/actions/${name}`,
    method: "POST",
    async handle(request, response, url) {
      const gone = new AbortController();
      response.once("close", () => gone.abort());
      const asking = { signal: gone.signal, headers: headersOf(request, url) };
      try {
        const body = await jsonBody(request);
        if ("answer" in action) send(response, 200, await action.answer(body, asking));
        else await sendLines(response, action.stream(body, asking));
      } catch (error) {
        if (gone.signal.aborted) return; // nobody is there to be told
        tell(response, error, () => log.warn({ err: error, action: name }, "an action failed"));
      }
    },
  }));
}

/** One line of JSON for each. A reader that is slow slows the peer. */
async function sendLines(response: ServerResponse, lines: AsyncIterable<JsonValue>): Promise<void> {
  for await (const line of lines) {
    if (!response.headersSent) response.writeHead(200, { "Content-Type": "application/x-ndjson; charset=utf-8" });
    const isTaken = response.write(`${JSON.stringify(line)}\n`);
    if (!isTaken) await new Promise((resolve) => response.once("drain", resolve).once("close", resolve));
  }
  response.end();
}

/** @throws what is a fault of this service */
function tell(response: ServerResponse, error: unknown, warn: () => void): void {
  if (error instanceof PretrainError && !response.headersSent) return refuse(response, error);
  if (error instanceof PretrainError) return void response.end(`${JSON.stringify({ error: errorBody(error) })}\n`);
  // A peer's own fault, which its log explains under the number in the message.
  if (!(error instanceof Error && error.name === "ConnectError")) throw error;
  warn();
  const body = { status: "INTERNAL", reason: "INTERNAL", message: error.message, violations: [] };
  if (response.headersSent) response.end(`${JSON.stringify({ error: body })}\n`);
  else send(response, 502, { error: body });
}

function send(response: ServerResponse, status: number, body: JsonValue): void {
  response.writeHead(status, { "Content-Type": "application/json; charset=utf-8" }).end(JSON.stringify(body));
}
