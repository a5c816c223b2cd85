/**
 * Where a text may be cut before byte pairs are merged: GPT-2's rule, which keeps a word with the one space before it and
 * never mixes letters, digits, signs and white space in one token.
 */

/** The rule as the Rust engines of `tokenizers` and tiktoken write it. */
export const piecePattern = String.raw`'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;

// The same for this engine, whose \s differs by two characters: it holds U+FEFF and lacks U+0085.
const pieces = new RegExp(
  piecePattern
    .replaceAll(String.raw`[^\s`, String.raw`[^\p{White_Space}`)
    .replaceAll(String.raw`\s`, String.raw`\p{White_Space}`)
    .replaceAll(String.raw`\S`, String.raw`\P{White_Space}`),
  "gu",
);

/** The pieces of a text, in order; joined they are the text. */
export function* textPieces(text: string): Generator<string> {
  for (const [piece] of text.matchAll(pieces)) yield piece;
}

// A run is found by looking at every window of this many code units: one of twice the length fills a window wholly.
const windowLength = 256;
const uniformWindow = /^(?:\p{L}+|\p{N}+|[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+)$/u;

/**
 * False when no piece of the text is longer than 512 code units, true when one may be. Tells in a small part of the time
 * that cutting the text would take, since ordinary text differs within the first few characters of each window.
 */
export function mayHaveLongPiece(text: string): boolean {
  for (let start = 0; start + windowLength <= text.length; start += windowLength) {
    if (uniformWindow.test(wholeCharacters(text, start, start + windowLength))) return true;
  }
  return false;
}

/** The slice without half a surrogate pair at either end: a half would pass for a sign of its own. */
function wholeCharacters(text: string, start: number, end: number): string {
  const isLow = (index: number) => (text.charCodeAt(index) & 0xfc00) === 0xdc00;
  return text.slice(isLow(start) ? start + 1 : start, isLow(end) ? end - 1 : end);
}
