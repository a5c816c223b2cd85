/** Whether another program makes of exported files what the evaluator makes of the checkpoint. */

/** One program with one set of files. Differences are relative, except of single tokens. */
export interface Comparison {
  readonly model: string;
  readonly files: string;
  readonly program: string;
  /** What was compared: the loss of all validation rows, of a long text in rolling windows, or the worst single token. */
  readonly what: "validation loss" | "rolling log-likelihood" | "worst of the tokens, nats";
  readonly ours: number;
  readonly theirs: number;
  readonly difference: number;
  readonly limit: number;
  /** Everything else that must be equal: generated tokens, the tokens of a text, markers, names of tensors. */
  readonly unequal: readonly string[];
}

/** Of losses in float32, relative. */
export const lossLimit = 1e-5;
/** Of a single token's loss, in nats. */
export const tokenLimit = 1e-4;

export function relativeDifference(ours: number, theirs: number): number {
  return Math.abs(theirs / ours - 1);
}

export function holds({ difference, limit, unequal }: Comparison): boolean {
  return difference <= limit && unequal.length === 0; // NaN does not
}

/** The names of what is not equal. @param pairs what was found and what was expected, by name */
export function unequal(pairs: Readonly<Record<string, readonly [unknown, unknown]>>): string[] {
  return Object.entries(pairs)
    .filter(([, [found, expected]]) => JSON.stringify(found) !== JSON.stringify(expected))
    .map(([name]) => name);
}

export function comparisonTable(comparisons: readonly Comparison[]): string {
  const rows = comparisons.map((each) => [
    each.model,
    each.files,
    each.program,
    each.what,
    each.ours.toFixed(6),
    each.theirs.toFixed(6),
    each.difference.toExponential(1),
    each.unequal.length === 0 ? "equal" : `NOT ${each.unequal.join(", ")}`,
    holds(each) ? "yes" : "NO",
  ]);
  const header = ["model", "files", "program", "compared", "ours", "theirs", "off by", "tokens and names", "holds"];
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
