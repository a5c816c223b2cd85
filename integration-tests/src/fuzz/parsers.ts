/** All parsers that can be tried: the files that end in `.fuzz.ts`, each beside the parser it tries. */
import { globSync } from "node:fs";
import { basename, join } from "node:path";

const checkout = join(import.meta.dirname, "../../..");

export interface Parser {
  /** Of the file: `decode-safetensors`. */
  readonly name: string;
  readonly file: string;
}

/** In the order of their names. @param wanted only those whose name begins so   @throws Error when there is none */
export function parsers(wanted = ""): Parser[] {
  const patterns = ["libs/*/*/src/**/*.fuzz.ts", "{services/*,cli}/src/**/*.fuzz.ts"];
  const files = globSync(patterns, { cwd: checkout }).map((path) => join(checkout, path));
  const all = files.map((file) => ({ name: basename(file, ".fuzz.ts"), file }));
  const found = all.filter(({ name }) => name.startsWith(wanted)).sort((a, b) => (a.name < b.name ? -1 : 1));
  if (found.length > 0) return found;
  throw new Error(`no parser's name begins with ${wanted}; there are ${all.map(({ name }) => name).join(", ")}`);
}
