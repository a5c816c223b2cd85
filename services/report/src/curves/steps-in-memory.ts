/**
 * The accepted steps of one experiment as columns in memory, ascending. They follow the ledger: new steps are added; from the
 * first one on that may have changed, all are read again.
 *
 *     ledger    1 2 3 4 5 6 7            attempt 1
 *                       5 6 ·            attempt 2 goes on from 4: everything from 5 on is dropped here and read again
 */
import type { StatementSync } from "node:sqlite";
import { type CountingAttempts, readCountingAttempts } from "../ledger/counting-attempts.ts";
import type { Ledger } from "../ledger/open-ledger.ts";
import { type StepColumn, stepColumnNames, stepColumns } from "./step-columns.ts";

const firstCapacity = 256;
const growth = 1.25;
const placeOf = Object.fromEntries(stepColumnNames.map((name, index) => [name, index]));
/** In a row as it is read: attempt and mark come before the columns. */
const firstColumn = 2;

export class StepsInMemory {
  readonly #ledger: Ledger;
  readonly #experiment: string;
  readonly #select: StatementSync;
  readonly #columns = stepColumnNames.map(() => new Float64Array(firstCapacity));
  #counting: CountingAttempts;
  #rows = 0;
  /** Up to this micro-step everything has been looked at. */
  #lookedUpTo = -1;

  constructor(ledger: Ledger, experiment: string) {
    this.#ledger = ledger;
    this.#experiment = experiment;
    ledger.stepChanges.take(experiment); // all of them are read now
    this.#counting = readCountingAttempts(ledger, experiment);
    this.#select = ledger.database.prepare(`
      SELECT attempt, nonce, ${stepColumnNames.map((name) => stepColumns[name]).join(", ")} FROM steps
      WHERE experiment = ? AND micro_step > ? ORDER BY micro_step, attempt LIMIT ?`);
    this.#select.setReturnArrays(true);
  }

  get rows(): number {
    return this.#rows;
  }

  get sizeBytes(): number {
    return this.#columns.length * this.#capacity * Float64Array.BYTES_PER_ELEMENT;
  }

  /** The first `rows` values are those of the steps; NaN where a step has none. Another array after the next `follow`. */
  column(name: StepColumn): Float64Array {
    return this.#columns[Number(placeOf[name])] ?? new Float64Array();
  }

  /** How many steps lie before the micro-step: the row of the first one that does not. */
  rowsBefore(microStep: number): number {
    const steps = this.column("microStep");
    let [low, high] = [0, this.#rows];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((steps[middle] ?? 0) < microStep) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Drops what is no longer so. @returns how many rows are still right: those behind them will be others */
  dropChanged(): number {
    const counting = readCountingAttempts(this.#ledger, this.#experiment);
    const changed = [counting.firstChangeSince(this.#counting), this.#ledger.stepChanges.take(this.#experiment)];
    this.#counting = counting;
    const first = Math.min(...changed.map((microStep) => microStep ?? Number.POSITIVE_INFINITY));
    if (first <= this.#lookedUpTo) {
      this.#rows = this.rowsBefore(first);
      this.#lookedUpTo = first - 1;
    }
    return this.#rows;
  }

  /** Reads about `limit` more rows. @returns true when there is nothing left to read */
  read(limit: number): boolean {
    const rows: readonly unknown[] = this.#select.all(this.#experiment, this.#lookedUpTo, limit);
    const isEnd = rows.length < limit;
    const whole = isEnd ? rows : withoutLastStep(rows);
    if (whole.length === 0 && !isEnd) return this.read(2 * limit); // one step of more attempts than that
    for (const row of whole) if (Array.isArray(row)) this.#take(row);
    return isEnd;
  }

  #take(row: readonly unknown[]): void {
    const microStep = Number(row[firstColumn]);
    this.#lookedUpTo = microStep;
    if (!this.#counting.accepts(Number(row[0]), String(row[1]), microStep)) return;
    // The same step again is of a higher attempt, which counts.
    if (this.#rows > 0 && this.#columns[0]?.[this.#rows - 1] === microStep) this.#rows -= 1;
    if (this.#rows === this.#capacity) this.#grow();
    this.#columns.forEach((column, index) => {
      const value = row[firstColumn + index];
      column[this.#rows] = typeof value === "number" ? value : Number.NaN;
    });
    this.#rows += 1;
  }

  get #capacity(): number {
    return this.#columns[0]?.length ?? 0;
  }

  #grow(): void {
    const capacity = Math.ceil(this.#capacity * growth);
    this.#columns.forEach((column, index) => {
      const wider = new Float64Array(capacity);
      wider.set(column);
      this.#columns[index] = wider;
    });
  }
}

/** A step of several attempts must not be cut in two. */
function withoutLastStep(rows: readonly unknown[]): readonly unknown[] {
  const stepOf = (row: unknown) => (Array.isArray(row) ? row[firstColumn] : undefined);
  const last = stepOf(rows.at(-1));
  return rows.slice(0, rows.findLastIndex((row) => stepOf(row) !== last) + 1);
}
