/** Tables in Markdown. */
import type { Cell, Column } from "../record-document.ts";
import { markdownCode, markdownText } from "./markdown-text.ts";

export function factsTable(rows: readonly (readonly [name: string, value: Cell])[]): string {
  return table([{ title: "" }, { title: "" }], rows);
}

export function table(columns: readonly Column[], rows: readonly (readonly Cell[])[]): string {
  const head = columns.map(({ title }) => markdownText(title));
  const rule = columns.map(({ numeric }) => (numeric ? "---:" : "---"));
  return [head, rule, ...rows.map((row) => row.map(cellMarkdown))]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
}

/** Somebody else's words; struck when others took their place. */
export function spokenMarkdown(text: string, isStruck: boolean): string {
  const said = markdownText(text);
  return isStruck && said !== "" ? `~~${said}~~` : said;
}

export function cellMarkdown(cell: Cell): string {
  if (typeof cell === "string") return markdownText(cell);
  if ("code" in cell) return markdownCode(cell.code);
  return "words" in cell ? spokenMarkdown(cell.words, cell.struck ?? false) : markdownText(cell.text);
}
