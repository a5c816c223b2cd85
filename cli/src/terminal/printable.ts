/** Text of others on a terminal: what a model, a log or a person wrote must not move its cursor or change its colours. */

/** The text with every control character but line feed and tab as its picture, such as `␛`. */
export function printable(text: string): string {
  return text.replaceAll(/[^\P{Cc}\n\t]/gu, pictureOf);
}

/** The same on one line. */
export function oneLine(text: string): string {
  return printable(text.replaceAll("\n", "⏎").replaceAll("\t", "⇥"));
}

function pictureOf(character: string): string {
  const code = character.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return code === 0x7f ? "␡" : "�";
}
