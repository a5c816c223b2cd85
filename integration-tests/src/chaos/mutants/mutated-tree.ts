/** A copy of the checkout with one mutant's edits. What is not edited is shared by hard links, so a copy costs a second. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Edit, Mutant } from "./mutants.ts";

/** Neither the history nor what programs have written into the checkout. */
const left = [".git", ".pretrain"];

/** Disposing removes the copy. @throws Error when a text to be replaced is not in its file exactly once */
export function mutatedTree(checkout: string, { name, edits }: Mutant): Disposable & { readonly path: string } {
  const path = join(checkout, ".pretrain", "mutants", name); // on the same file system, or there are no hard links
  const remove = () => rmSync(path, { recursive: true, force: true });
  remove();
  mkdirSync(path, { recursive: true });
  try {
    const entries = readdirSync(checkout).filter((entry) => !left.includes(entry));
    execFileSync("cp", ["--archive", "--link", ...entries.map((entry) => join(checkout, entry)), path]);
    for (const edit of edits) apply(path, edit);
    return { path, [Symbol.dispose]: remove };
  } catch (error) {
    remove();
    throw error;
  }
}

function apply(path: string, { file, text, replacement }: Edit): void {
  const source = readFileSync(join(path, file), "utf8");
  const places = source.split(text).length - 1;
  if (places !== 1) throw new Error(`${file} holds the line to be removed ${places} times, not once:\n${text}`);
  rmSync(join(path, file)); // or the original would be written
  writeFileSync(
    join(path, file),
    source.replace(text, () => replacement),
  );
}
