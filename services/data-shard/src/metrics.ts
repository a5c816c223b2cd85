/** What Prometheus learns of packing and of the rows handed out. */
import type { Metrics } from "@pretrain/observability";

const packingBucketsSeconds = [0.5, 2, 10, 60, 300, 1800, 7200];

export function dataShardMetrics(metrics: Metrics) {
  const batches = metrics.counter("pretrain_data_batches_total", "Batches handed out by StreamBatches.");
  const rows = metrics.counter("pretrain_data_rows_total", "Rows in these batches.");
  const packing = metrics.histogram(
    "pretrain_data_packing_seconds",
    "Time that packing a dataset took.",
    packingBucketsSeconds,
    ["outcome"],
  );
  return {
    onBatch: (rowsInBatch: number) => {
      batches();
      rows({}, rowsInBatch);
    },
    onPacked: (outcome: "ready" | "failed" | "postponed", durationSeconds: number) =>
      packing(durationSeconds, { outcome }),
  };
}
