/**
 * Blocks of a curve, cut once: of 32 rows, of 64, of 128 and so on, each with its extremes and its sums. Any range of rows is a few
 * blocks and a few single rows at its ends, so a bucket costs the same whether it covers a hundred steps or a million.
 *
 *     rows    ·····|················|································|····    the range that is asked for
 *             rows   block of 32      block of 64                     rows
 */
import type { ValueColumns } from "./value-columns.ts";

/** What a range of rows comes to. Rows without a value (NaN, or a denominator of 0) are not in it. */
export interface Sums {
  count: number;
  min: number;
  max: number;
  numerator: number;
  denominator: number;
  /** Of the first and the last row with a value; -1 when there is none. */
  firstRow: number;
  lastRow: number;
}

export const blockRows = 32;
/** Numbers of a block: those of `Sums`, in this order. */
const stride = 7;

export class BlockSums {
  /** `#levels[l]`: blocks of `blockRows << l` rows, one behind the other. */
  readonly #levels: Level[] = [];

  get sizeBytes(): number {
    return this.#levels.reduce((sum, { numbers }) => sum + numbers.byteLength, 0);
  }

  /** Rows from here on are others now. */
  keepOnly(rows: number): void {
    this.#levels.forEach((level, index) => {
      level.blocks = Math.min(level.blocks, Math.floor(rows / (blockRows << index)));
    });
  }

  /** Cuts the blocks that have become whole. */
  follow(values: ValueColumns, rows: number): void {
    for (let index = 0; blockRows << index <= rows; index += 1) {
      const level = (this.#levels[index] ??= { numbers: new Float64Array(16 * stride), blocks: 0 });
      const whole = Math.floor(rows / (blockRows << index));
      for (; level.blocks < whole; level.blocks += 1) {
        const sums = noSums();
        if (index === 0) addRows(sums, values, level.blocks * blockRows, (level.blocks + 1) * blockRows);
        else for (const half of [0, 1]) this.#addBlock(sums, index - 1, 2 * level.blocks + half);
        write(level, sums);
      }
    }
  }

  /** Of the rows from `from` to before `to`. */
  between(values: ValueColumns, from: number, to: number): Sums {
    const sums = noSums();
    let row = from;
    while (row < to) {
      const level = this.#widestAt(row, to);
      if (level < 0) {
        const end = Math.min(to, (Math.floor(row / blockRows) + 1) * blockRows);
        addRows(sums, values, row, end);
        row = end;
      } else {
        this.#addBlock(sums, level, row / (blockRows << level));
        row += blockRows << level;
      }
    }
    return sums;
  }

  /** The widest block that begins at `row` and ends at or before `to`; -1 when there is none. */
  #widestAt(row: number, to: number): number {
    let level = -1;
    while (row % (blockRows << (level + 1)) === 0 && row + (blockRows << (level + 1)) <= to) {
      if ((this.#levels[level + 1]?.blocks ?? 0) <= row / (blockRows << (level + 1))) break;
      level += 1;
    }
    return level;
  }

  #addBlock(sums: Sums, level: number, block: number): void {
    const numbers = this.#levels[level]?.numbers;
    if (numbers === undefined) return;
    const at = (place: number) => numbers[block * stride + place] ?? 0;
    if (at(0) === 0) return;
    sums.count += at(0);
    sums.min = Math.min(sums.min, at(1));
    sums.max = Math.max(sums.max, at(2));
    sums.numerator += at(3);
    sums.denominator += at(4);
    if (sums.firstRow < 0) sums.firstRow = at(5);
    sums.lastRow = at(6);
  }
}

interface Level {
  numbers: Float64Array;
  blocks: number;
}

function noSums(): Sums {
  const ends = { firstRow: -1, lastRow: -1 };
  return {
    count: 0,
    min: Number.POSITIVE_INFINITY,
    max: Number.NEGATIVE_INFINITY,
    numerator: 0,
    denominator: 0,
    ...ends,
  };
}

function addRows(sums: Sums, { numerators, denominators }: ValueColumns, from: number, to: number): void {
  for (let row = from; row < to; row += 1) {
    const numerator = numerators[row] ?? Number.NaN;
    const denominator = denominators === undefined ? 1 : (denominators[row] ?? 0);
    if (Number.isNaN(numerator) || denominator === 0) continue;
    const value = numerator / denominator;
    sums.count += 1;
    if (value < sums.min) sums.min = value;
    if (value > sums.max) sums.max = value;
    sums.numerator += numerator;
    sums.denominator += denominator;
    if (sums.firstRow < 0) sums.firstRow = row;
    sums.lastRow = row;
  }
}

function write(level: Level, sums: Sums): void {
  const place = level.blocks * stride;
  if (place === level.numbers.length) {
    const wider = new Float64Array(2 * place);
    wider.set(level.numbers);
    level.numbers = wider;
  }
  level.numbers.set(
    [sums.count, sums.min, sums.max, sums.numerator, sums.denominator, sums.firstRow, sums.lastRow],
    place,
  );
}
