/**
 * Sends this process's spans to a collector, by OpenTelemetry's own variables. Without OTEL_EXPORTER_OTLP_ENDPOINT, or with
 * OTEL_SDK_DISABLED=true, nothing is loaded and nothing is sent.
 */
import { context, propagation, trace } from "@opentelemetry/api";
import { reservedIds } from "./reserved-ids.ts";

const lastSpansMs = 2_000;

/** Disposing sends what is left, for at most two seconds: a collector that is away keeps nobody from ending. */
export async function startTracing(service: string, environment: NodeJS.ProcessEnv): Promise<AsyncDisposable> {
  if (!isWanted(environment)) return { [Symbol.asyncDispose]: () => Promise.resolve() };
  const [
    { BatchSpanProcessor, TracerProvider },
    { OTLPTraceExporter },
    { AsyncLocalStorageContextManager },
    core,
    made,
  ] = await Promise.all([
    import("@opentelemetry/sdk-trace"),
    import("@opentelemetry/exporter-trace-otlp-http"),
    import("@opentelemetry/context-async-hooks"),
    import("@opentelemetry/core"),
    import("@opentelemetry/resources"),
  ]);
  const named = made.resourceFromAttributes({ "service.name": `pretrain-${service}`, "process.pid": process.pid });
  const resource = made
    .defaultResource()
    .merge(made.detectResources({ detectors: [made.envDetector] }))
    .merge(named);
  const spanProcessors = [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })];
  const provider = new TracerProvider({ resource, spanProcessors, idGenerator: reservedIds });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new core.W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(provider);
  return { [Symbol.asyncDispose]: () => withinTime(provider.shutdown()) };
}

function isWanted(environment: NodeJS.ProcessEnv): boolean {
  const endpoint =
    environment["OTEL_EXPORTER_OTLP_ENDPOINT"] ?? environment["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] ?? "";
  return endpoint !== "" && environment["OTEL_SDK_DISABLED"] !== "true";
}

async function withinTime(sent: Promise<void>): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, lastSpansMs);
  await Promise.race([sent.catch(() => undefined), late]);
  clearTimeout(timer);
}
