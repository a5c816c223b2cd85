/** The summary for a person. */
import type { Result, Summary } from "./summary.ts";

const header = ["", "precision", "best", "median", "tokens/s ÷ ours", "peak MiB", "loaded MiB"];

export function table(summary: Summary): string {
  const fastestOfOurs = Math.max(
    ...summary.results.filter(({ side }) => side === "ours").map(({ tokens_per_second_median: speed }) => speed),
  );
  const rows = summary.results.map((result) => cellsOf(result, fastestOfOurs));
  return [...aligned([header, ...rows]), "", ...remarks(summary)].join("\n");
}

function cellsOf(result: Result, fastestOfOurs: number): string[] {
  const relative = result.tokens_per_second_median / fastestOfOurs;
  return [
    result.name,
    result.precision,
    result.tokens_per_second_best.toFixed(1),
    result.tokens_per_second_median.toFixed(1),
    Number.isFinite(relative) && relative > 0 ? relative.toFixed(2) : "-",
    String(result.peak_rss_mib),
    String(result.loaded_rss_mib),
  ];
}

/** The first two columns to the left, numbers to the right. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = header.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}

function remarks({ ratio, memory_ratio, by_precision, refused, foreign_load }: Summary): string[] {
  const lines: string[] = [];
  for (const [precision, { limit, limit_share }] of Object.entries(by_precision)) {
    if (limit === null) continue;
    const share = limit_share === null ? "" : `; ours reaches ${(100 * limit_share).toFixed(1)} % of it`;
    lines.push(`limit, ${precision}: ${limit.gigaPerSecond.toFixed(1)} G/s (${limit.at})${share}`);
  }
  if (refused !== null) lines.push(`no ratio: ${refused}`);
  if (ratio !== null) lines.push(`ours ÷ best peer: ${ratio}; memory: ${memory_ratio}`);
  if (foreign_load > 0.05) {
    lines.push(`other programs took ${(100 * foreign_load).toFixed(0)} % of the processor time: preliminary numbers`);
  }
  return lines;
}
