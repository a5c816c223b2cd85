/** The span that stands for a whole experiment, told when it is over: from its acceptance to its end. */
import { ROOT_CONTEXT, SpanStatusCode, trace } from "@opentelemetry/api";
import { experimentIds } from "./experiment-ids.ts";
import { reservedIds } from "./reserved-ids.ts";
import type { SpanAttributes } from "./spans.ts";

export interface ExperimentEnd {
  /** Canonical id. */
  readonly experiment: string;
  readonly startMs: number;
  readonly endMs: number;
  /** Why it did not complete; undefined: it did. */
  readonly failure: string | undefined;
  readonly attributes: SpanAttributes;
}

/** Told again, it is the same span. */
export function tellExperiment({ experiment, startMs, endMs, failure, attributes }: ExperimentEnd): void {
  const options = { startTime: startMs, attributes: { "pretrain.experiment": experiment, ...attributes } };
  const span = reservedIds.reserve(experimentIds(experiment), () =>
    trace.getTracer("pretrain").startSpan(`experiment ${experiment}`, options, ROOT_CONTEXT),
  );
  if (failure !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: failure });
  span.end(endMs);
}
