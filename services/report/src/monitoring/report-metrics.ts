/** What this service tells Prometheus: what it has taken in, how far behind it is, and what is being trained. */
import type { Metrics } from "@pretrain/observability";
import type { Ingestion } from "../ingest/ingest-events.ts";
import type { Ledger } from "../ledger/open-ledger.ts";
import { TrainingMetrics } from "./training-metrics.ts";

export function ingestMetrics({ counter }: Metrics): (kind: string, count: number) => void {
  const help = "Events taken from the streams, repetitions included.";
  const taken = counter("pretrain_ledger_events_total", help, ["kind"]);
  return (kind, count) => taken({ kind }, count);
}

export function tellLedger(metrics: Metrics, ledger: Ledger, ingestion: Pick<Ingestion, "behind">): void {
  const help = "Events of a stream that the ledger does not have yet.";
  const pending = metrics.gauge("pretrain_ledger_pending_events", help, ["stream"]);
  metrics.beforeScrape(async () => {
    for (const [stream, events] of await ingestion.behind()) pending(events, { stream });
  });
  const training = new TrainingMetrics(ledger, metrics);
  metrics.beforeScrape(() => training.look());
}
