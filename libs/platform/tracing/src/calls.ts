/** Calls between services as spans, joined by W3C's `traceparent` in their headers. */
import { type Context, context, propagation, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { messageOf } from "@pretrain/errors";

/** What is known of a call before it is made. */
export interface Call {
  /** Full name, such as `pretrain.train.v1.TrainerService`. */
  readonly service: string;
  readonly method: string;
  readonly headers: Headers;
}

export interface TracedCall {
  /** What is begun in here is below the call's span. */
  run<T>(work: () => T): T;
  /** The second time is of no effect. */
  end(failure?: unknown): void;
}

/** The caller's side: the headers are given the place of the span. */
export function beginCall(call: Call): TracedCall {
  const { traced, place } = begin(SpanKind.CLIENT, call, context.active());
  propagation.inject(place, call.headers, { set: (headers, key, value) => headers.set(key, value) });
  return traced;
}

/** The answering side: a span below the caller's, if its headers name one. */
export function beginAnswer(call: Call): TracedCall {
  const caller = propagation.extract(context.active(), call.headers, {
    get: (headers, key) => headers.get(key) ?? undefined,
    keys: (headers) => [...headers.keys()],
  });
  return begin(SpanKind.SERVER, call, caller).traced;
}

function begin(kind: SpanKind, { service, method }: Call, parent: Context) {
  const attributes = { "rpc.system": "grpc", "rpc.service": service, "rpc.method": method };
  const span = trace.getTracer("pretrain").startSpan(`${service}/${method}`, { kind, attributes }, parent);
  const place = trace.setSpan(parent, span);
  const traced: TracedCall = {
    run: (work) => context.with(place, work),
    end: (failure) => {
      if (failure !== undefined && span.isRecording())
        span.setStatus({ code: SpanStatusCode.ERROR, message: messageOf(failure) });
      if (span.isRecording()) span.end();
    },
  };
  return { traced, place };
}
