/**
 * Texts that end a generation. Text comes in pieces; what may be the beginning of a stop text is held back until it is known not to be.
 *
 *     stop texts  END            pieces   "a E"   "ND b"              pieces   "a E"   "N."
 *                                given    "a "    "", and it ends     given    "a "    "EN."
 */

export interface StopTexts {
  /** What may be given out with this piece, and whether a stop text is complete: then nothing may follow. */
  push(piece: string): { readonly text: string; readonly isStopped: boolean };
  /** What is still held back, when the text ends otherwise. */
  end(): string;
}

/**
 * The text ends where the first stop text is complete, before the beginning of that stop text; of two that are complete at the same
 * character, of the longer one, so that nothing of either is given out. How the text is cut into pieces changes nothing.
 *
 * @param stops texts of one character or more, each without half a surrogate pair, as the pieces are
 */
export function stopTexts(stops: readonly string[]): StopTexts {
  const longest = Math.max(0, ...stops.map(({ length }) => length));
  let held = "";
  return {
    push(piece) {
      const text = held + piece;
      const stopped = stopBegin(text, stops);
      const begin = stopped ?? text.length - heldLength(text, stops, longest);
      held = stopped === undefined ? text.slice(begin) : "";
      return { text: text.slice(0, begin), isStopped: stopped !== undefined };
    },
    end() {
      const rest = held;
      held = "";
      return rest;
    },
  };
}

/** Where the stop text begins that is complete first. */
function stopBegin(text: string, stops: readonly string[]): number | undefined {
  const found = stops
    .map((stop) => ({ begin: text.indexOf(stop), length: stop.length }))
    .filter(({ begin }) => begin >= 0)
    .sort((a, b) => a.begin + a.length - (b.begin + b.length) || a.begin - b.begin);
  return found[0]?.begin;
}

/** Characters at the end of the text that are the beginning of a stop text, as many as there are. */
function heldLength(text: string, stops: readonly string[], longest: number): number {
  for (let length = Math.min(longest - 1, text.length); length > 0; length -= 1) {
    const end = text.slice(-length);
    if (stops.some((stop) => stop.startsWith(end))) return length;
  }
  return 0;
}
