/** A collector of traces for a test: takes OTLP as JSON over HTTP and keeps every span. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import type { TestContext } from "node:test";

export interface CollectedSpan {
  /** The process that made it, such as `pretrain-trainer-worker`. */
  readonly service: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty: it has none. */
  readonly parentSpanId: string;
}

export interface TraceCollector {
  readonly spans: readonly CollectedSpan[];
  /** For the processes that send here, soon after a span has ended. */
  readonly environment: Readonly<Record<string, string>>;
}

export async function startTraceCollector(t: TestContext): Promise<TraceCollector> {
  const spans: CollectedSpan[] = [];
  const server = createServer(async (request, response) => {
    spans.push(...spansIn(await json(request)));
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const environment = {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
    OTEL_BSP_SCHEDULE_DELAY: "200",
  };
  return { spans, environment };
}

/** The names are OTLP's; a span that begins a trace has no parent. */
type SentSpan = Omit<CollectedSpan, "service" | "parentSpanId"> & { readonly parentSpanId?: string };

interface Exported {
  readonly resourceSpans?: readonly {
    readonly resource: { readonly attributes: readonly { readonly key: string; readonly value: object }[] };
    readonly scopeSpans: readonly { readonly spans: readonly SentSpan[] }[];
  }[];
}

function spansIn(body: unknown): CollectedSpan[] {
  const { resourceSpans = [] } = Object(body) as Exported;
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const named = resource.attributes.find(({ key }) => key === "service.name")?.value;
    const service = String(Object(named)["stringValue"]);
    return scopeSpans
      .flatMap(({ spans }) => spans)
      .map(({ parentSpanId, ...span }) => ({ ...span, service, parentSpanId: parentSpanId ?? "" }));
  });
}
