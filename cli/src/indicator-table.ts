/** The table of key indicators for a terminal. */
import { type Indicator, Verdict } from "@pretrain/proto";

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
    final === undefined ? "-" : shown(final),
    unit,
    target === undefined ? "" : `${target.comparison} ${shown(target.value)}`,
    words[verdict] ?? "",
  ]);
  return table([["indicator", "value", "unit", "target", "verdict"], ...rows]);
}

/** Enough digits to tell two runs apart, no more: 4 behind the point for small numbers, none for large ones. */
function shown(value: number): string {
  return Math.abs(value) >= 1000 || Number.isInteger(value)
    ? Math.round(value).toLocaleString("en-US")
    : value.toFixed(4);
}

/** Columns padded to their widest cell; an empty last column leaves no blanks at a line's end. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
