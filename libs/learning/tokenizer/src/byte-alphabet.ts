/**
 * The 256 characters that stand for bytes inside tokenizer.json, as GPT-2 chose them: a printable byte of Latin-1 stands
 * for itself, the others take the characters from U+0100 on, in order, so that a token never holds a space or a control
 * character. (A space is therefore Ġ, U+0120.)
 */

/** The character of each byte. */
export const characterOfByte: readonly string[] = alphabet();

/** The byte of each character; nothing else is a character of a token. */
export const byteOfCharacter: ReadonlyMap<string, number> = new Map(
  characterOfByte.map((character, byte) => [character, byte]),
);

/** All bytes in the order of their characters: the order in which a trained vocabulary begins. */
export const bytesInAlphabetOrder: readonly number[] = characterOfByte
  .map((_, byte) => byte)
  .sort((a, b) => codeOf(a) - codeOf(b));

function alphabet(): string[] {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(isPrintable(byte) ? byte : next++));
}

function isPrintable(byte: number): boolean {
  return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
}

function codeOf(byte: number): number {
  return characterOfByte[byte]?.codePointAt(0) ?? 0;
}
