/** Every call as a span, on both of its sides; of a stream until it ends. */
import type { Interceptor } from "@connectrpc/connect";
import { beginAnswer, beginCall, type Call, type TracedCall } from "@pretrain/tracing";

/** Of a client. */
export const traceCalls = (): Interceptor => tracing(beginCall);

/** Of a server. */
export const traceAnswers = (): Interceptor => tracing(beginAnswer);

function tracing(begin: (call: Call) => TracedCall): Interceptor {
  return (next) => async (request) => {
    const { service, method, header: headers } = request;
    const call = begin({ service: service.typeName, method: method.name, headers });
    try {
      const response = await call.run(() => next(request));
      if (response.stream) return { ...response, message: untilItsEnd(response.message, call) };
      call.end();
      return response;
    } catch (error) {
      call.end(error);
      throw error;
    }
  };
}

async function* untilItsEnd<T>(messages: AsyncIterable<T>, call: TracedCall): AsyncGenerator<T> {
  try {
    yield* messages;
  } catch (error) {
    call.end(error);
    throw error;
  } finally {
    call.end();
  }
}
