/** Numbers for Prometheus. */

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import packageJson from "../package.json" with { type: "json" };

type Labels = Readonly<Record<string, string>>;

/**
 * The metrics of one process. Names begin with `pretrain_`, have base units (seconds, bytes) and `_total` on counters. The values of a
 * label come from a small set, never from a user; where one names an experiment, its owner bounds how many there are and drops each
 * when it has ended.
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
  /** What a metric says of exactly these labels is not shown any more. */
  readonly drop: (name: string, labels: Labels) => void;
  /**
   * Looks something up before each answer to Prometheus, instead of following every change of it. `look` may fail: that is counted,
   * and everything else is answered.
   */
  readonly beforeScrape: (look: () => void | Promise<void>) => void;
}

/** @param service label of every metric. Process and Node metrics (memory, event loop, garbage collection) are included. */
export function createMetrics(service: string): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const looks: (() => void | Promise<void>)[] = [];
  tellBuild(registers);
  const failures = new Counter({
    name: "pretrain_metrics_lookup_failures_total",
    help: "Lookups for an answer to Prometheus that failed; what they would have told is missing or old.",
    registers,
  });
  return {
    exposition: async () => {
      const looked = await Promise.allSettled(looks.map(async (look) => look()));
      failures.inc(looked.filter(({ status }) => status === "rejected").length);
      return { body: await registry.metrics(), contentType: registry.contentType };
    },
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
    drop: (name, labels) => registry.getSingleMetric(name)?.remove(labels),
    beforeScrape: (look) => void looks.push(look),
  };
}

/** By the convention of exporters: always 1, what it tells is in the labels. */
function tellBuild(registers: Registry[]): void {
  const build = new Gauge({
    name: "pretrain_build_info",
    help: "Version of the program and of the Node that runs it.",
    labelNames: ["version", "node"],
    registers,
  });
  build.set({ version: packageJson.version, node: process.versions.node }, 1);
}
