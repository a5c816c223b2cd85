/**
 * A set of runs that remembers which of them were seen somewhere else. Runs are compared token by token, so that two with the
 * same hash stay two: what is counted is exact.
 *
 *     place        0    1    2    3    4    5    6    7         open addressing, at most half of the places taken
 *     position     ·    1   14    ·    ·    2    ·    ·         1 + where the run begins in `tokens`; 0: free
 *     was seen     0    0    1    0    0    0    0    0
 */
import { forEachRun, type Markers, runTokens } from "./token-runs.ts";

export class RunTable {
  readonly #markers: Markers;
  /** The tokens of all rows that were added, one row after the other. */
  readonly #tokens: Uint16Array;
  #filled = 0;
  readonly #positions: Int32Array;
  readonly #wasSeen: Uint8Array;

  /** @param tokens of all rows that will be added; 12 to 22 bytes are taken for each */
  constructor(tokens: number, markers: Markers) {
    this.#markers = markers;
    this.#tokens = new Uint16Array(tokens);
    const places = 2 ** Math.ceil(Math.log2(2 * Math.max(1, tokens)));
    this.#positions = new Int32Array(places);
    this.#wasSeen = new Uint8Array(places);
  }

  add(row: Uint16Array): void {
    const start = this.#filled;
    this.#tokens.set(row, start);
    this.#filled += row.length;
    forEachRun(row, this.#markers, (offset, hash) => {
      const place = this.#placeOf(row, offset, hash);
      if (this.#positions[place] === 0) this.#positions[place] = start + offset + 1;
    });
  }

  /** Marks what was added of the runs of a row from elsewhere. */
  see(row: Uint16Array): void {
    forEachRun(row, this.#markers, (offset, hash) => {
      const place = this.#placeOf(row, offset, hash);
      if (this.#positions[place] !== 0) this.#wasSeen[place] = 1;
    });
  }

  /** The runs of a row that was added, and how many of them were seen. */
  count(row: Uint16Array): { readonly runs: number; readonly seen: number } {
    let runs = 0;
    let seen = 0;
    forEachRun(row, this.#markers, (offset, hash) => {
      runs += 1;
      seen += this.#wasSeen[this.#placeOf(row, offset, hash)] ?? 0;
    });
    return { runs, seen };
  }

  /** The place of this run, or the free one where it belongs. */
  #placeOf(row: Uint16Array, offset: number, hash: number): number {
    const last = this.#positions.length - 1;
    for (let place = hash & last; ; place = (place + 1) & last) {
      const position = this.#positions[place] ?? 0;
      if (position === 0 || this.#isRunAt(position - 1, row, offset)) return place;
    }
  }

  #isRunAt(position: number, row: Uint16Array, offset: number): boolean {
    for (let index = 0; index < runTokens; index += 1) {
      if (this.#tokens[position + index] !== row[offset + index]) return false;
    }
    return true;
  }
}
