/** The text of each token. A token may begin and end inside a character: that one is shown with the token that ends it. */

/** A range of bytes in the UTF-8 text. */
export interface TokenBytes {
  readonly byteOffset: bigint;
  readonly byteLength: number;
}

/** The texts in order; put one after the other they are the text that the tokens cover. */
export function tokenTexts(text: string, tokens: readonly TokenBytes[]): string[] {
  const bytes = Buffer.from(text, "utf8");
  let shown = tokens[0] === undefined ? 0 : Number(tokens[0].byteOffset);
  return tokens.map(({ byteOffset, byteLength }) => {
    const end = wholeCharacters(bytes, Number(byteOffset) + byteLength);
    const piece = bytes.toString("utf8", shown, Math.max(shown, end));
    shown = Math.max(shown, end);
    return piece;
  });
}

/** The last place up to there at which no character is cut: a continuation byte is 10xxxxxx. */
function wholeCharacters(bytes: Buffer, end: number): number {
  let place = Math.min(end, bytes.length);
  while (place > 0 && place < bytes.length && ((bytes[place] ?? 0) & 0xc0) === 0x80) place -= 1;
  return place;
}
