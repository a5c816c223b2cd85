/** "Did you mean": the known name with the fewest edits to the one that was written. */
import { closest } from "fastest-levenshtein";

const shownLength = 80;

/** `"dimm" is unknown; the nearest known name is "dim"`, as a predicate for an error. */
export function unknownName(written: string, known: readonly string[]): string {
  const shown = JSON.stringify(written.slice(0, shownLength));
  return `${shown} is unknown; the nearest known name is "${closest(written.slice(0, shownLength), known)}"`;
}
