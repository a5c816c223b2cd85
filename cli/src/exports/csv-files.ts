/** Tables as CSV by RFC 4180: a header, commas, lines that end in CR LF, UTF-8. */

import type { ExperimentSource } from "./experiment-source.ts";
import { type OutputFile, type WrittenFile, writeFileInPieces } from "./output-file.ts";
import { type Cell, type Table, tablesOf } from "./tables.ts";

export async function writeCsvFiles(source: ExperimentSource, folder: string): Promise<WrittenFile[]> {
  const files: WrittenFile[] = [];
  for (const table of tablesOf(source)) {
    files.push(await writeFileInPieces(folder, `${table.name}.csv`, (file) => writeRows(table, file)));
  }
  return files;
}

async function writeRows({ columns, rows }: Table, file: OutputFile): Promise<number> {
  const encoder = new TextEncoder();
  let count = 0;
  await file.append(encoder.encode(line(columns.map(({ name }) => name))));
  for await (const row of rows()) {
    await file.append(encoder.encode(line(row)));
    count += 1;
  }
  return count;
}

function line(cells: readonly Cell[]): string {
  return `${cells.map(written).join(",")}\r\n`;
}

/** Numbers in the shortest form that reads back as the same number, times as RFC 3339 in UTC; what is not there is empty. */
function written(cell: Cell): string {
  if (cell === undefined) return "";
  if (cell instanceof Date) return cell.toISOString();
  const text = String(cell);
  return typeof cell === "string" && /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
