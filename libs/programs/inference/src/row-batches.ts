/**
 * Rows of any lengths as the batches that are computed. Rows of like length stand together, so that little padding is computed, and
 * widths and numbers of rows are of few kinds, so that few functions are traced:
 *
 *     lengths     7  500  31  120  480        sorted: 500 480 | 120 31 7
 *     batches     2 rows x 512: 500 480       4 rows x 128: 120 31 7 and one row of length 0
 */

export interface RowBatch {
  /** Positions of each row. */
  readonly width: number;
  /** Where each row stands among all of them; those that only fill the batch up are in none. */
  readonly indices: readonly number[];
  /** [rows, width], padded at the right with 0. */
  readonly tokens: Int32Array;
  /** [rows] */
  readonly lengths: Int32Array;
}

/** Positions of a batch at most, unless one row has more: enough for full speed, few enough to stay in the caches' reach. */
const mostPositions = 2048;

/** @param maxRows of a batch, whatever their width @throws RangeError for a row of more than `maxSequenceLength` + 1 tokens */
export function rowBatches(
  rows: readonly ArrayLike<number>[],
  maxSequenceLength: number,
  maxRows = Number.POSITIVE_INFINITY,
): RowBatch[] {
  const lengthOf = (index: number) => rows[index]?.length ?? 0;
  const longest = [...rows.keys()].sort((a, b) => lengthOf(b) - lengthOf(a) || a - b);
  const batches: RowBatch[] = [];
  for (let first = 0; first < longest.length; ) {
    const width = widthFor(lengthOf(longest[first] ?? 0), maxSequenceLength);
    const room = powerBelow(Math.max(1, Math.min(maxRows, Math.floor(mostPositions / width))));
    const indices = longest.slice(first, first + room);
    batches.push(batchOf(rows, indices, Math.min(room, powerAbove(indices.length)), width));
    first += indices.length;
  }
  return batches;
}

/**
 * The least width there is for `length` tokens: steps of 32 up to 128, then of 64. At least 2: one position predicts the other. A row
 * can have one token more than the model has positions, since its last one is only predicted.
 */
export function widthFor(length: number, maxSequenceLength: number): number {
  if (length > maxSequenceLength + 1)
    throw new RangeError(`${length} tokens; the model has ${maxSequenceLength} positions`);
  if (length > maxSequenceLength) return Math.max(2, length);
  const step = length <= 128 ? 32 : 64;
  return Math.min(Math.max(2, maxSequenceLength), step * Math.max(1, Math.ceil(length / step)));
}

function batchOf(
  rows: readonly ArrayLike<number>[],
  indices: readonly number[],
  count: number,
  width: number,
): RowBatch {
  const tokens = new Int32Array(count * width);
  const lengths = new Int32Array(count);
  for (const [place, index] of indices.entries()) {
    const row = rows[index] ?? [];
    tokens.set(row, place * width);
    lengths[place] = row.length;
  }
  return { width, indices, tokens, lengths };
}

/** The largest power of two that is at most `count`. */
function powerBelow(count: number): number {
  return 2 ** Math.floor(Math.log2(count));
}

/** The least power of two that is at least `count`. */
export function powerAbove(count: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, count)));
}
