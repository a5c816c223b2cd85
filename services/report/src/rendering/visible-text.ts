/**
 * Text of others, made safe to look at: a control character can hide what a terminal shows, and a direction mark can make a
 * line read as another. Both become visible names; half of a surrogate pair becomes U+FFFD. Line ends and tabs stay.
 */
export function visibleText(text: string): string {
  return text
    .toWellFormed()
    .replaceAll("\r\n", "\n")
    .replace(/[\p{Cc}\u061C\u200E\u200F\u2028\u2029\u202A-\u202E\u2066-\u2069\uFEFF]/gu, nameOf);
}

function nameOf(character: string): string {
  if (character === "\n" || character === "\t") return character;
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}}`;
}
