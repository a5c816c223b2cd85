/** How long a call may live: until its deadline, until its caller goes away, and, while the server drains, a little longer. */
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { Unavailable } from "@pretrain/errors";
import { endedBy, orAborted } from "./call-streams.ts";

/** What calls share with the server that ends. */
export class Draining {
  readonly #streams = new AbortController();
  readonly #unary = new Set<AbortController>();

  /** Aborted when streams must end. */
  readonly streams: AbortSignal = this.#streams.signal;

  /** @param call aborted when unary calls, too, must end. @returns to be called when it has ended by itself */
  endWithAll(call: AbortController): () => void {
    this.#unary.add(call);
    return () => void this.#unary.delete(call);
  }

  endStreams(): void {
    this.#streams.abort(draining());
  }

  endAll(): void {
    this.endStreams();
    for (const call of this.#unary) call.abort(draining());
  }
}

function draining(): Unavailable {
  return new Unavailable("DRAINING", "the service is being stopped; call again, another instance will answer");
}

/**
 * Answers at the deadline even when the method itself does not look at its signal.
 *
 * @param longestUnaryMs deadline of unary calls whose callers gave none, or a later one
 */
export function limitLifetime(draining: Draining, longestUnaryMs: number): Interceptor {
  return (next) => async (request) => {
    if (request.stream) {
      const signal = AbortSignal.any([request.signal, draining.streams]);
      const response = await orAborted(next({ ...request, signal }), signal);
      return response.stream ? { ...response, message: endedBy(response.message, signal) } : response;
    }
    // Not by AbortSignal.any: its weak references took a twentieth of a short call.
    const call = new AbortController();
    const end = () => call.abort(request.signal.reason);
    request.signal.addEventListener("abort", end, { once: true });
    if (request.signal.aborted) end();
    const forget = draining.endWithAll(call);
    const timer = setTimeout(() => call.abort(late(longestUnaryMs)), longestUnaryMs);
    try {
      return await orAborted(next({ ...request, signal: call.signal }), call.signal);
    } finally {
      request.signal.removeEventListener("abort", end);
      forget();
      clearTimeout(timer);
    }
  };
}

function late(longestMs: number): ConnectError {
  const message = `a call may take ${longestMs / 60_000} minutes at most; ask again, where the service goes on with the work`;
  return new ConnectError(message, Code.DeadlineExceeded);
}
