/** Numbers for Prometheus. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

type Labels = Readonly<Record<string, string>>;

/**
 * The metrics of one process. Names begin with `pretrain_`, have base units (seconds, bytes) and `_total` on counters; the values
 * of a label come from a small fixed set, never from a user.
 */
export interface Metrics {
  /** The text that Prometheus reads, and its media type. */
  readonly exposition: () => Promise<{ readonly body: string; readonly contentType: string }>;
  readonly counter: (name: string, help: string, labels?: readonly string[]) => (labels?: Labels, by?: number) => void;
  readonly gauge: (name: string, help: string, labels?: readonly string[]) => (value: number, labels?: Labels) => void;
  readonly histogram: (
    name: string,
    help: string,
    buckets: readonly number[],
    labels?: readonly string[],
  ) => (value: number, labels?: Labels) => void;
}

/** @param service label of every metric. Process and Node metrics (memory, event loop, garbage collection) are included. */
export function createMetrics(service: string): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return {
    exposition: async () => ({ body: await registry.metrics(), contentType: registry.contentType }),
    counter(name, help, labelNames = []) {
      const counter = new Counter({ name, help, labelNames, registers });
      return (labels = {}, by = 1) => counter.inc(labels, by);
    },
    gauge(name, help, labelNames = []) {
      const gauge = new Gauge({ name, help, labelNames, registers });
      return (value, labels = {}) => gauge.set(labels, value);
    },
    histogram(name, help, buckets, labelNames = []) {
      const histogram = new Histogram({ name, help, labelNames, registers, buckets: [...buckets] });
      return (value, labels = {}) => histogram.observe(labels, value);
    },
  };
}
