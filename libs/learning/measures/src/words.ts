/**
 * The words of a text, as sacrebleu counts them, so that a BLEU of this program is one of others. `13a` is the tokenization of NIST's
 * mteval-v13a, for languages that put blanks between words. `zh` makes a word of each Chinese character first, and treats what stands
 * between them like `13a`. Source: Post 2018, arxiv.org/abs/1804.08771; sacrebleu 2.6.0, whose answers the tests hold.
 */

export type WordRule = "13a" | "zh";

/** `zh` where any of the texts has a Chinese character. */
export function wordRuleFor(texts: readonly string[]): WordRule {
  return texts.some((text) => /\p{Script=Han}/u.test(text)) ? "zh" : "13a";
}

export function wordsOf(text: string, rule: WordRule): string[] {
  const separated = rule === "zh" ? charactersApart(text) : ` ${unescaped(withoutLineBreaks(text))} `;
  return punctuationApart(separated)
    .split(whitespace)
    .filter((word) => word !== "");
}

/** What Python's `str.split` splits at: white space, and the four separators of ASCII. */
export const whitespace = new RegExp(`[\\p{White_Space}${String.fromCharCode(0x1c, 0x1d, 0x1e, 0x1f)}]+`, "u");

/** A hyphen at the end of a line joins the line to the next one. */
function withoutLineBreaks(text: string): string {
  return withoutEnd(text).replaceAll("<skipped>", "").replaceAll("-\n", "").replaceAll("\n", " ");
}

function withoutEnd(text: string): string {
  return text.replace(new RegExp(`${whitespace.source}$`, "u"), "");
}

/** In this order, so that `&amp;lt;` becomes `<`. */
function unescaped(text: string): string {
  return text.replaceAll("&quot;", '"').replaceAll("&amp;", "&").replaceAll("&lt;", "<").replaceAll("&gt;", ">");
}

/**
 * What counts as Chinese: ideographs and everything that is set as wide as one, and, beside them, all of U+2001 to U+2A6D, dashes and
 * quotation marks among it. (Rarer ideographs, from U+20000 on, are not in the list.)
 */
const chinese =
  /[\u2001-\u2a6d\u2e80-\u2fdf\u2ff0-\u303f\u3100-\u312f\u31a0-\u31ef\u3200-\u33ff\u3400-\u4db5\u4e00-\u9fbb\uf900-\ufa2d\ufa30-\ufa6a\ufa70-\ufad9\ufe10-\ufe1f\ufe30-\ufe4f\uff00-\uffef]/gu;

function charactersApart(text: string): string {
  return withoutEnd(text)
    .replace(new RegExp(`^${whitespace.source}`, "u"), "")
    .replace(chinese, " $& ");
}

function punctuationApart(text: string): string {
  return text
    .replace(/[!-&(-+:-@[-`{-~/]/gu, " $& ") // every ASCII sign but ' , - .
    .replace(/([^0-9])([.,])/gu, "$1 $2 ")
    .replace(/([.,])([^0-9])/gu, " $1 $2")
    .replace(/([0-9])-/gu, "$1 - ");
}
