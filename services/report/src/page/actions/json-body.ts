/** The body of a request, read with a limit. */
import type { IncomingMessage } from "node:http";
import type { JsonValue } from "@bufbuild/protobuf";
import { InvalidArgument } from "@pretrain/errors";

/** A text of 100,000 characters is the longest thing that is ever sent. */
const sizeLimitBytes = 1024 * 1024;

/** @throws InvalidArgument for a body of another kind than JSON, one that is too long, or one that is none */
export async function jsonBody(request: IncomingMessage): Promise<JsonValue> {
  const mediaType = (request.headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase();
  if (mediaType !== "application/json") throw refused(`is ${mediaType || "of no kind"}; application/json is expected`);
  const pieces: Buffer[] = [];
  let sizeBytes = 0;
  for await (const piece of request) {
    sizeBytes += piece.length;
    if (sizeBytes > sizeLimitBytes) throw refused(`is longer than ${sizeLimitBytes} bytes`);
    pieces.push(piece);
  }
  try {
    return JSON.parse(Buffer.concat(pieces).toString("utf8"));
  } catch (error) {
    throw refused("is no JSON", error);
  }
}

function refused(description: string, cause?: unknown): InvalidArgument {
  return new InvalidArgument([{ field: "body", description }], { cause });
}
