/**
 * A batch as the device takes it: in groups of as many rows as it holds, each cut at its longest row, since columns that are
 * padding in every row change no number.
 */
import type { Batch } from "./protocol.ts";

export interface DeviceBatch {
  readonly rows: number;
  /** Positions of each row, at least 2, so that there is one that predicts. */
  readonly width: number;
  /** [rows, width], row-major. */
  readonly tokens: Int32Array;
  /** [rows] */
  readonly lengths: Int32Array;
}

/** @param rowsAtOnce at least 1 */
export function deviceBatches(
  { tokens, lengths }: Pick<Batch, "tokens" | "lengths">,
  rowsAtOnce: number,
): DeviceBatch[] {
  const stride = tokens.length / lengths.length;
  const groups: DeviceBatch[] = [];
  for (let first = 0; first < lengths.length; first += rowsAtOnce) {
    const ofGroup = lengths.slice(first, first + rowsAtOnce);
    groups.push(trimmed(tokens.subarray(first * stride, (first + ofGroup.length) * stride), stride, ofGroup));
  }
  return groups;
}

function trimmed(tokens: Uint16Array, stride: number, lengths: Int32Array): DeviceBatch {
  const width = Math.min(stride, Math.max(2, ...lengths));
  const cut = new Int32Array(lengths.length * width);
  for (let row = 0; row < lengths.length; row += 1) {
    cut.set(tokens.subarray(row * stride, row * stride + width), row * width);
  }
  return { rows: lengths.length, width, tokens: cut, lengths };
}
