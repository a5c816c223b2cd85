/**
 * A batch as the device takes it: in groups of as many rows as it holds. Columns that are padding in every row of a group are cut off,
 * to one of a few widths, so that few functions have to be traced; a group that lacks rows is filled up with rows of length 0. Neither
 * changes a number: padding counts nothing.
 */

export interface Rows {
  /** [rows, stride], row-major, padded at the right. */
  readonly tokens: Uint16Array;
  /** [rows]: token ids of each row, padding not counted. */
  readonly lengths: Int32Array;
}

export interface RowGroup {
  /** Positions of each row. */
  readonly width: number;
  /** [rowsAtOnce, width] */
  readonly tokens: Int32Array;
  /** [rowsAtOnce] */
  readonly lengths: Int32Array;
}

/** Widths are multiples of an eighth of the longest sequence: at most eighth of what is computed is padding that a row's own width would save. */
const widths = 8;

/** @param rowsAtOnce at least 1 */
export function rowGroups({ tokens, lengths }: Rows, rowsAtOnce: number, maxSequenceLength: number): RowGroup[] {
  const stride = tokens.length / lengths.length;
  const groups: RowGroup[] = [];
  for (let first = 0; first < lengths.length; first += rowsAtOnce) {
    const ofGroup = new Int32Array(rowsAtOnce);
    ofGroup.set(lengths.subarray(first, first + rowsAtOnce));
    const width = widthFor(Math.max(...ofGroup), maxSequenceLength);
    groups.push({ width, lengths: ofGroup, tokens: cut(tokens, stride, first, ofGroup, width) });
  }
  return groups;
}

/** The least width there is for `length` tokens. */
export function widthFor(length: number, maxSequenceLength: number): number {
  const step = Math.max(2, Math.ceil(maxSequenceLength / widths)); // at least 2: one position predicts the other
  return Math.min(Math.max(2, maxSequenceLength), step * Math.max(1, Math.ceil(length / step)));
}

function cut(tokens: Uint16Array, stride: number, first: number, lengths: Int32Array, width: number): Int32Array {
  const group = new Int32Array(lengths.length * width);
  for (const [index, length] of lengths.entries()) {
    const start = (first + index) * stride;
    group.set(tokens.subarray(start, start + length), index * width);
  }
  return group;
}
