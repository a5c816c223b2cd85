/** Bytes that are no message: the caller's fault, where Connect says INTERNAL and whoever watches the service would look for ours. */
import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { findTrailerError, setTrailerStatus } from "@connectrpc/connect/protocol-grpc";

const spokenBy = "parse binary: ";

/** The same answer; its status is INVALID_ARGUMENT when the request could not be decoded. */
export function blamingCaller(answer: UniversalServerResponse, { input }: DescMethod): UniversalServerResponse {
  const { body, trailer } = answer;
  if (trailer === undefined || body === undefined || body === null) return answer;
  return { ...answer, body: thenRestate(body, trailer, input.typeName) };
}

/** The status is known when the body is through. */
async function* thenRestate(body: AsyncIterable<Uint8Array>, trailer: Headers, wanted: string) {
  yield* body;
  const error = findTrailerError(trailer);
  if (error?.code !== Code.Internal || !error.rawMessage.startsWith(spokenBy)) return;
  const message = `the bytes are no ${wanted}: ${error.rawMessage.slice(spokenBy.length)}`;
  setTrailerStatus(trailer, new ConnectError(message, Code.InvalidArgument));
}
