/** Numbers about rounds. */
import type { Round } from "./protocol.ts";

/** The middle one, or the mean of the two in the middle. @throws RangeError for no value */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]];
  if (low === undefined || high === undefined) throw new RangeError("no value has no median");
  return (low + high) / 2;
}

export function tokensPerSecond(rounds: readonly Round[]): { readonly best: number; readonly median: number } {
  const speeds = rounds.map(({ tokens, seconds }) => tokens / seconds);
  return { best: Math.max(...speeds), median: median(speeds) };
}
