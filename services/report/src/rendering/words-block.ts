/** A person's words under a label; what was left empty is shown as such. */
import type { Phrases } from "./language/phrases.ts";
import type { Block } from "./record-document.ts";

export function wordsBlock(label: string, text: string | undefined, { document }: Phrases): Block {
  return text ? { kind: "words", label, text } : { kind: "facts", rows: [[label, document.none]] };
}
