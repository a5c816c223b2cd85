/** The outermost layer of every call: errors become statuses, defects become a line of the log, and every call is counted. */
import { randomUUID } from "node:crypto";
import { Code, ConnectError, type Interceptor, type StreamRequest, type UnaryRequest } from "@connectrpc/connect";
import { PretrainError } from "@pretrain/errors";
import type { Log, Metrics } from "@pretrain/observability";
import { translated } from "./call-streams.ts";
import { internalError, toConnectError } from "./error-status.ts";

type Request = UnaryRequest | StreamRequest;

const durationBucketsSeconds = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60];

export function answerErrors(log: Log, metrics: Metrics | undefined): Interceptor {
  const observe = metrics?.histogram("pretrain_rpc_seconds", "Duration of gRPC calls.", durationBucketsSeconds, [
    "method",
    "code",
  ]);
  return (next) => async (request) => {
    const method = `${request.service.typeName}/${request.method.name}`;
    const begunMs = performance.now();
    const ended = (code: string) => {
      const durationMs = performance.now() - begunMs;
      observe?.(durationMs / 1000, { method, code });
      log.debug({ method, code, durationMs }, "call ended");
    };
    const failed = (thrown: unknown) => {
      const error = statusOf(thrown, request, log, method);
      ended(Code[error.code]);
      return error;
    };
    try {
      const response = await next(request);
      if (response.stream) return { ...response, message: translated(counted(response.message, ended), failed) };
      ended("Ok");
      return response;
    } catch (thrown) {
      throw failed(thrown);
    }
  };
}

async function* counted<T>(messages: AsyncIterable<T>, ended: (code: string) => void): AsyncGenerator<T> {
  yield* messages;
  ended("Ok");
}

function statusOf(thrown: unknown, request: Request, log: Log, method: string): ConnectError {
  if (thrown instanceof PretrainError) return toConnectError(thrown);
  if (thrown instanceof ConnectError) return thrown; // of the protocol: a message that cannot be decoded, a deadline
  if (request.signal.aborted)
    return new ConnectError("the caller is gone", Code.Canceled, undefined, undefined, thrown);
  const reference = randomUUID();
  log.error({ err: thrown, method, reference }, "call failed by a defect");
  return internalError(reference, thrown);
}
