/** The outermost layer of every call: errors become statuses, defects become a line of the log, and every call is counted. */
import { randomUUID } from "node:crypto";
import { Code, ConnectError, type Interceptor, type StreamRequest, type UnaryRequest } from "@connectrpc/connect";
import { PretrainError } from "@pretrain/errors";
import type { Log } from "@pretrain/observability";
import { translated } from "./call-streams.ts";
import { internalError, toConnectError } from "./error-status.ts";
import type { ObserveCall } from "./observe-calls.ts";

type Request = UnaryRequest | StreamRequest;

export function answerErrors(log: Log, observe: ObserveCall): Interceptor {
  return (next) => async (request) => {
    const method = `${request.service.typeName}/${request.method.name}`;
    const ended = observe(method);
    const failed = (thrown: unknown) => {
      const error = statusOf(thrown, request, log, method);
      ended(error.code);
      return error;
    };
    try {
      const response = await next(request);
      if (response.stream) return { ...response, message: translated(counted(response.message, ended), failed) };
      ended(0);
      return response;
    } catch (thrown) {
      throw failed(thrown);
    }
  };
}

async function* counted<T>(messages: AsyncIterable<T>, ended: (code: 0) => void): AsyncGenerator<T> {
  yield* messages;
  ended(0);
}

function statusOf(thrown: unknown, request: Request, log: Log, method: string): ConnectError {
  if (thrown instanceof PretrainError) return toConnectError(thrown);
  if (thrown instanceof ConnectError) return thrown; // of the protocol: a message that cannot be decoded, a deadline
  if (request.signal.aborted)
    return new ConnectError("the caller is gone", Code.Canceled, undefined, undefined, thrown);
  return defect(thrown, log, method);
}

/** What nobody raised on purpose: told in full to the log, by its number to the caller. */
export function defect(thrown: unknown, log: Log, method: string): ConnectError {
  const reference = randomUUID();
  log.error({ err: thrown, method, reference }, "call failed by a defect");
  return internalError(reference, thrown);
}
