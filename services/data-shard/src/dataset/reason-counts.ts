/** How many rows for which reason, and the lines of the first of them: enough to find them in the file. */
export interface ReasonCount {
  readonly reason: string;
  readonly rows: number;
  /** Lines on which the first ten of them begin, from 1. */
  readonly firstLines: readonly number[];
}

const keptLines = 10;

export class ReasonCounts {
  readonly #counts = new Map<string, { rows: number; readonly firstLines: number[] }>();

  add(reason: string, line: number): void {
    const count = this.#counts.get(reason) ?? { rows: 0, firstLines: [] };
    count.rows += 1;
    if (count.firstLines.length < keptLines) count.firstLines.push(line);
    this.#counts.set(reason, count);
  }

  /** By the name of the reason, so that equal data give an equal report. */
  get all(): readonly ReasonCount[] {
    const counts = Array.from(this.#counts, ([reason, count]) => ({ reason, ...count }));
    return counts.sort((a, b) => (a.reason < b.reason ? -1 : 1));
  }
}
