/** Traces across the services, for whoever collects them: one trace for each experiment, whichever process works on it. */
export { beginAnswer, beginCall, type Call, type TracedCall } from "./calls.ts";
export { type ExperimentEnd, tellExperiment } from "./experiment-span.ts";
export { inExperiment, inSpan, type SpanAttributes } from "./spans.ts";
export { startTracing } from "./start-tracing.ts";
