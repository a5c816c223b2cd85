/** What the hardware gives at most, by the programs that only measure it. */
import type { Round } from "./protocol.ts";
import { median } from "./statistics.ts";

export interface Limit {
  /** Floating-point operations, or bytes read, in 1e9 a second. */
  readonly gigaPerSecond: number;
  /** Which product of which library. */
  readonly at: string;
}

export interface LimitMeasurement {
  readonly name: string;
  readonly rounds: readonly Round[];
}

/** The best product of the best library, each by its median over the rounds, as contenders' speeds are medians too. */
export function limitOf(measurements: readonly LimitMeasurement[]): Limit | undefined {
  const all = measurements.flatMap(({ name, rounds }) =>
    namesOf(rounds).map((product) => ({
      gigaPerSecond: median(rounds.map(({ giga_per_second }) => giga_per_second?.[product] ?? 0)),
      at: `${name}: ${product}`,
    })),
  );
  return all.toSorted((a, b) => b.gigaPerSecond - a.gigaPerSecond)[0];
}

function namesOf(rounds: readonly Round[]): string[] {
  return Object.keys(rounds[0]?.giga_per_second ?? {});
}
