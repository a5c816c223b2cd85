/** An interval beside its value: ` (1.2000 to 1.4000)`; nothing where there is none. */
import type { Interval } from "@pretrain/proto";
import { loss } from "./figures.ts";

export function intervalText(interval: Interval | undefined): string {
  return interval === undefined ? "" : ` (${loss(interval.low)} to ${loss(interval.high)})`;
}
