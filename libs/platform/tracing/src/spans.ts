/** A span around a piece of work. Without `startTracing` nothing of this costs anything. */
import { type Context, context, ROOT_CONTEXT, SpanStatusCode, TraceFlags, trace } from "@opentelemetry/api";
import { messageOf } from "@pretrain/errors";
import { experimentIds } from "./experiment-ids.ts";

export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

const tracer = () => trace.getTracer("pretrain");

/** The work as a span below the one that is active. What it throws is told and thrown on. */
export function inSpan<T>(name: string, attributes: SpanAttributes, work: () => Promise<T>): Promise<T> {
  return around(name, attributes, context.active(), work);
}

/**
 * The work as a span of an experiment's own trace, with a link to the span that asked for it, if one is active.
 *
 * @param experiment canonical id
 */
export function inExperiment<T>(
  experiment: string,
  name: string,
  attributes: SpanAttributes,
  work: () => Promise<T>,
): Promise<T> {
  const ids = { ...experimentIds(experiment), traceFlags: TraceFlags.SAMPLED, isRemote: true };
  const below = trace.setSpanContext(ROOT_CONTEXT, ids);
  return around(name, { "pretrain.experiment": experiment, ...attributes }, below, work);
}

async function around<T>(
  name: string,
  attributes: SpanAttributes,
  parent: Context,
  work: () => Promise<T>,
): Promise<T> {
  const asking = trace.getSpanContext(context.active());
  const isElsewhere = asking !== undefined && asking.traceId !== trace.getSpanContext(parent)?.traceId;
  const span = tracer().startSpan(name, { attributes, ...(isElsewhere && { links: [{ context: asking }] }) }, parent);
  try {
    return await context.with(trace.setSpan(parent, span), work);
  } catch (error) {
    span.setStatus({ code: SpanStatusCode.ERROR, message: messageOf(error) });
    throw error;
  } finally {
    span.end();
  }
}
