/** What Prometheus learns of the queues of training and of the spool. What is trained, the report service tells: from the ledger. */
import { type Broker, tellWorkload, trainingWork } from "@pretrain/events";
import type { Metrics } from "@pretrain/observability";
import { spoolBytes } from "@pretrain/spool";

interface Sources {
  readonly broker: Pick<Broker, "workload">;
  /** Folder of the worker's spool; undefined: its worker is on another machine. */
  readonly spool: string | undefined;
}

export function tellTrainer(metrics: Metrics, { broker, spool }: Sources): void {
  tellWorkload(metrics, broker, trainingWork);
  if (spool === undefined) return;
  const help = "Disk that events take in the worker's spool, which keeps each until the ledger has it.";
  const bytes = metrics.gauge("pretrain_metrics_spool_bytes", help);
  metrics.beforeScrape(() => bytes(spoolBytes(spool)));
}
