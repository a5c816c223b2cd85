/**
 * The addresses by which the page acts, `POST /api/actions/{action}`. Only the page itself is let through (see `serveHttp`); what it
 * asks for is done by the service that owns it, over gRPC, and what that one refuses is answered with its fields.
 */
import type { ServerResponse } from "node:http";
import type { JsonValue } from "@bufbuild/protobuf";
import { PretrainError, type StatusName } from "@pretrain/errors";
import type { Log, Route } from "@pretrain/observability";
import type { Action } from "./action.ts";
import { jsonBody } from "./json-body.ts";

const httpStatus: Readonly<Record<StatusName, number>> = {
  INVALID_ARGUMENT: 400,
  OUT_OF_RANGE: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  FAILED_PRECONDITION: 409,
  ABORTED: 409,
  RESOURCE_EXHAUSTED: 429,
  DATA_LOSS: 500,
  UNAVAILABLE: 503,
};

export function actionRoutes(actions: Readonly<Record<string, Action>>, log: Log): Route[] {
  return Object.entries(actions).map(([name, action]) => ({
    path: `/api/actions/${name}`,
    method: "POST",
    async handle(request, response) {
      const gone = new AbortController();
      response.once("close", () => gone.abort());
      try {
        const body = await jsonBody(request);
        if ("answer" in action) send(response, 200, await action.answer(body, gone.signal));
        else await sendLines(response, action.stream(body, gone.signal));
      } catch (error) {
        if (gone.signal.aborted) return; // nobody is there to be told
        const told = shown(error);
        if (told === undefined) throw error;
        if (!(error instanceof PretrainError)) log.warn({ err: error, action: name }, "an action failed");
        if (response.headersSent) response.end(`${JSON.stringify({ error: told.body })}\n`);
        else send(response, told.status, { error: told.body });
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

/** What the page is told of an error that was raised on purpose, here or by a peer; undefined for a fault of this service. */
function shown(error: unknown): { readonly status: number; readonly body: JsonValue } | undefined {
  if (error instanceof PretrainError) {
    const { status, reason, message, violations } = error;
    return {
      status: httpStatus[status],
      body: { status, reason, message, violations: violations.map((each) => ({ ...each })) },
    };
  }
  // A peer's own fault, which its log explains under the number in the message.
  if (error instanceof Error && error.name === "ConnectError")
    return { status: 502, body: { status: "INTERNAL", reason: "INTERNAL", message: error.message, violations: [] } };
  return undefined;
}

function send(response: ServerResponse, status: number, body: JsonValue): void {
  response.writeHead(status, { "Content-Type": "application/json; charset=utf-8" }).end(JSON.stringify(body));
}
