/** An interval beside its value: ` [1.2000, 1.4000]`; nothing where there is none. */
import type { Interval } from "@pretrain/proto";
import { loss, metricValue } from "./figures.ts";

export function intervalText(interval: Interval | undefined, metric?: string): string {
  if (interval === undefined) return "";
  const written = (value: number) => (metric === undefined ? loss(value) : metricValue(metric, value));
  return ` [${written(interval.low)}, ${written(interval.high)}]`;
}
