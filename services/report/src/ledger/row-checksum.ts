/** The checksum that every row carries: what SQLite's own check of its file cannot see, a changed value, is seen by it. */
import { crc32 } from "node:zlib";

export type RowValue = string | number | bigint | null;

/** Of the values as they are written, and as they are read again. */
export function rowChecksum(values: readonly unknown[]): number {
  return crc32(values.join("\u001f")); // null becomes "", which no number is
}

/** The values with their checksum behind them: a whole row. */
export function checkedRow(values: readonly RowValue[]): RowValue[] {
  return [...values, rowChecksum(values)];
}
