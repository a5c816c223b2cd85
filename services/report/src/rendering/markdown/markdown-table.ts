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

export function cellMarkdown(cell: Cell): string {
  if (typeof cell === "string") return markdownText(cell);
  return "code" in cell ? markdownCode(cell.code) : markdownText(cell.text);
}
