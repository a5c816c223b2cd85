/** Columns for a terminal. */
import { stripVTControlCharacters } from "node:util";

/** Columns padded to their widest cell; an empty last column leaves no blanks at a line's end. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => displayWidth(row[column] ?? ""))));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell + " ".repeat(Math.max(0, (widths[column] ?? 0) - displayWidth(cell))))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** Cells of a terminal that a text takes: a Chinese, Japanese or Korean character takes two, a colour none. */
export function displayWidth(text: string): number {
  const plain = stripVTControlCharacters(text);
  return plain.length + (plain.match(wide)?.length ?? 0);
}

const wide =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303f\uff01-\uff60\uffe0-\uffe6]/gu;

/** At most so many cells of a text, the last one an ellipsis where something was left out. */
export function cut(text: string, cells: number): string {
  if (displayWidth(text) <= cells) return text;
  let [shown, width] = ["", 0];
  for (const character of text) {
    width += displayWidth(character);
    if (width > cells - 1) break;
    shown += character;
  }
  return `${shown}…`;
}
