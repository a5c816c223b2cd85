/** The language of words that nobody has said the language of, for readers' voices, fonts and line breaks. */
import type { Language } from "./language.ts";

/** Chinese as soon as there is a Chinese character; everything else is read as English, the other language of records. */
export function languageOfWords(text: string): Language {
  return /\p{Script=Han}/u.test(text) ? "zh" : "en";
}
