/**
 * YAML of unknown origin, with limits that the library does not have: its reader calls itself for each level and compares
 * each key of a group with all others, so that 200 kB of brackets or of keys would hold a process for seconds; so would brackets behind a value.
 */
import { Composer, Lexer, type LineCounter, Parser } from "yaml";

const depthLimit = 64; // of the reader's stack, which holds one to two entries for a level
const entriesLimit = 1000;
const faultsShown = 10;
const faultShown = 200; // characters; the library quotes what it has found, however long it is

/** `tree`: its nodes, undefined where there is nothing; `value`: as plain values, in which aliases are refused with an Error. */
export type ReadYaml =
  | { readonly tree: unknown; readonly value: () => unknown }
  | { readonly faults: readonly string[] };

/** The tree of the one document in `text`, or what is wrong with it, each with its line. */
export function readYaml(text: string, lines: LineCounter): ReadYaml {
  lines.addNewLine(0); // the parser reports only the lines after the first
  const parser = new Parser(lines.addNewLine);
  const tokens = [];
  let misplaced = 0;
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) {
      tokens.push(token);
      if (token.type === "error") misplaced += 1;
    }
    if (misplaced > entriesLimit) return { faults: [`has more than ${entriesLimit} signs that belong to nothing`] };
    if (parser.stack.length > depthLimit) return { faults: ["is nested too deeply"] };
    const innermost = parser.stack.at(-1);
    const entries = innermost !== undefined && "items" in innermost ? innermost.items.length : 0;
    if (entries > entriesLimit) return { faults: [`has a list or group of more than ${entriesLimit} entries`] };
    // Whatever stands behind the end of a value is kept with it, as a fault each.
    const strays = innermost !== undefined && "end" in innermost ? (innermost.end?.length ?? 0) : 0;
    if (strays > entriesLimit) return { faults: [`has more than ${entriesLimit} signs behind the end of a value`] };
  }
  tokens.push(...parser.end());
  return compose(tokens, lines);
}

function compose(tokens: Iterable<Parameters<Composer["next"]>[0]>, lines: LineCounter): ReadYaml {
  const [document, second] = new Composer({ version: "1.2", schema: "core", uniqueKeys: true }).compose(tokens);
  if (second !== undefined) return { faults: ["holds several documents; one is expected"] };
  if (document === undefined) return { tree: undefined, value: () => undefined };
  const faults = [...document.errors, ...document.warnings]; // a warning is a tag that nobody knows
  if (faults.length === 0) return { tree: document.contents, value: () => document.toJS({ maxAliasCount: 0 }) };
  const shown = faults.slice(0, faultsShown);
  return {
    faults: shown.map(({ message, pos }) => `line ${lines.linePos(pos[0]).line}: ${message.slice(0, faultShown)}`),
  };
}
