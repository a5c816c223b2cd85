/** How long a call may live: until its deadline, until its caller goes away, and, while the server drains, a little longer. */
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { Unavailable } from "@pretrain/errors";
import { endedBy, orAborted } from "./call-streams.ts";

/** What calls share with the server that ends. */
export class Draining {
  readonly #streams = new AbortController();
  readonly #unary = new AbortController();

  /** Aborted when streams must end. */
  readonly streams: AbortSignal = this.#streams.signal;
  /** Aborted when unary calls, too, must end. */
  readonly unary: AbortSignal = this.#unary.signal;

  endStreams(): void {
    this.#streams.abort(draining());
  }

  endAll(): void {
    this.endStreams();
    this.#unary.abort(draining());
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
    const tooLong = new AbortController();
    const ends = request.stream ? [draining.streams] : [draining.unary, tooLong.signal];
    const signal = AbortSignal.any([request.signal, ...ends]);
    const timer = request.stream ? undefined : setTimeout(() => tooLong.abort(late(longestUnaryMs)), longestUnaryMs);
    try {
      const response = await orAborted(next({ ...request, signal }), signal);
      return response.stream ? { ...response, message: endedBy(response.message, signal) } : response;
    } finally {
      clearTimeout(timer);
    }
  };
}

function late(longestMs: number): ConnectError {
  const message = `a call may take ${longestMs / 60_000} minutes at most; ask again, where the service goes on with the work`;
  return new ConnectError(message, Code.DeadlineExceeded);
}
