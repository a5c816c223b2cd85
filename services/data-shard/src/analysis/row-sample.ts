/**
 * Rows that fit into memory, spread evenly over all that come: every row, or, when they are more than the limits allow, every
 * second, every fourth and so on. Which ones depends on the rows alone.
 */

export interface SampleLimits {
  readonly rows: number;
  /** At least as many as the longest row has. */
  readonly tokens: number;
}

export class RowSample {
  readonly #limits: SampleLimits;
  #offered = 0;
  #step = 1;
  #rows: Uint16Array[] = [];
  #tokens = 0;

  constructor(limits: SampleLimits) {
    this.#limits = limits;
  }

  offer(row: Uint16Array): void {
    const isKept = this.#offered % this.#step === 0;
    this.#offered += 1;
    if (!isKept) return;
    this.#rows.push(row);
    this.#tokens += row.length;
    while (this.#rows.length > this.#limits.rows || this.#tokens > this.#limits.tokens) this.#thin();
  }

  /** One row of so many is in the sample, from the first on. */
  get step(): number {
    return this.#step;
  }

  get rows(): readonly Uint16Array[] {
    return this.#rows;
  }

  /** Of all rows of the sample. */
  get tokens(): number {
    return this.#tokens;
  }

  #thin(): void {
    this.#step *= 2;
    this.#rows = this.#rows.filter((_, index) => index % 2 === 0);
    this.#tokens = this.#rows.reduce((tokens, row) => tokens + row.length, 0);
  }
}
