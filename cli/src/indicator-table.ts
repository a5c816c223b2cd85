/** The table of key indicators for a terminal. */
import { type Indicator, Verdict } from "@pretrain/proto";
import { figure } from "./terminal/figures.ts";
import { table } from "./terminal/table.ts";

const words: Readonly<Record<Verdict, string>> = {
  [Verdict.UNSPECIFIED]: "",
  [Verdict.MET]: "✓ met",
  [Verdict.EXCELLENT]: "✓ excellent",
  [Verdict.MISSED]: "✗ missed",
  [Verdict.UNDECIDED]: "? undecided",
};

export function indicatorTable(indicators: readonly Indicator[]): string {
  const rows = indicators.map(({ metric, unit, final, target, verdict }) => [
    metric,
    final === undefined ? "-" : figure(final),
    unit,
    target === undefined ? "" : `${target.comparison} ${figure(target.value)}`,
    words[verdict] ?? "",
  ]);
  return table([["indicator", "value", "unit", "target", "verdict"], ...rows]);
}
