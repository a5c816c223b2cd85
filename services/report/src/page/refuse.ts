/** What the page, or a program, is told of an error that was raised on purpose, here or by a peer: its status, and the error as JSON. */
import type { ServerResponse } from "node:http";
import type { JsonValue } from "@bufbuild/protobuf";
import type { PretrainError, StatusName } from "@pretrain/errors";

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

export function refuse(response: ServerResponse, error: PretrainError): void {
  if (error.status === "UNAUTHENTICATED") response.setHeader("WWW-Authenticate", 'Bearer realm="pretrain"');
  response.writeHead(httpStatus[error.status], { "Content-Type": "application/json; charset=utf-8" });
  response.end(JSON.stringify({ error: errorBody(error) }));
}

export function errorBody({ status, reason, message, violations }: PretrainError): JsonValue {
  return { status, reason, message, violations: violations.map((each) => ({ ...each })) };
}
