/**
 * An exponential moving average over every value of a curve, from the beginning of the run:
 *
 *     sum[n] = w sum[n-1] + (1 - w) x[n]      mass[n] = w mass[n-1] + (1 - w) = 1 - w^n      average[n] = sum[n] / mass[n]
 *
 * The division by the mass frees it of the pull towards zero that its beginning has: the first average is the first value.
 * Source: Kingma and Ba, Adam, 2015, section 3, bias correction. Rows without a value, or without a finite one, pull on nothing.
 *
 * After each block of rows the sum and the mass are kept, so that the average at any row is a few steps away.
 */
import { blockRows } from "./block-sums.ts";
import type { ValueColumns } from "./value-columns.ts";

interface State {
  sum: number;
  mass: number;
}

export class MovingAverage {
  /** Of what was before, from 0 to below 1. */
  readonly weight: number;
  /** Sum and mass after each block. */
  #states = new Float64Array(32);
  #blocks = 0;

  constructor(weight: number) {
    this.weight = weight;
  }

  get sizeBytes(): number {
    return this.#states.byteLength;
  }

  /** Rows from here on are others now. */
  keepOnly(rows: number): void {
    this.#blocks = Math.min(this.#blocks, Math.floor(rows / blockRows));
  }

  follow(values: ValueColumns, rows: number): void {
    const state = this.#after(this.#blocks);
    for (; (this.#blocks + 1) * blockRows <= rows; this.#blocks += 1) {
      this.#walk(state, values, this.#blocks * blockRows, (this.#blocks + 1) * blockRows);
      if (2 * this.#blocks === this.#states.length) this.#grow();
      this.#states[2 * this.#blocks] = state.sum;
      this.#states[2 * this.#blocks + 1] = state.mass;
    }
  }

  /** After the row; undefined before the first finite value. */
  at(values: ValueColumns, row: number): number | undefined {
    const block = Math.min(this.#blocks, Math.floor((row + 1) / blockRows));
    const state = this.#after(block);
    this.#walk(state, values, block * blockRows, row + 1);
    return state.mass > 0 ? state.sum / state.mass : undefined;
  }

  #after(blocks: number): State {
    return blocks === 0
      ? { sum: 0, mass: 0 }
      : { sum: this.#states[2 * blocks - 2] ?? 0, mass: this.#states[2 * blocks - 1] ?? 0 };
  }

  #walk(state: State, { numerators, denominators }: ValueColumns, from: number, to: number): void {
    for (let row = from; row < to; row += 1) {
      const value = (numerators[row] ?? Number.NaN) / (denominators === undefined ? 1 : (denominators[row] ?? 0));
      if (!Number.isFinite(value)) continue;
      state.sum = this.weight * state.sum + (1 - this.weight) * value;
      state.mass = this.weight * state.mass + (1 - this.weight);
    }
  }

  #grow(): void {
    const wider = new Float64Array(2 * this.#states.length);
    wider.set(this.#states);
    this.#states = wider;
  }
}
