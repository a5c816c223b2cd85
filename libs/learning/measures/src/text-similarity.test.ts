/** BLEU and chrF against sacrebleu's, and the rules that the numbers rest on by hand. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertClose, goldenTest } from "@pretrain/golden";
import { corpusBleu, corpusChrf, type WordRule, wordRuleFor } from "./index.ts";
import { wordsOf } from "./words.ts";

interface Similarity {
  readonly pairs: {
    readonly name: string;
    readonly made: string[];
    readonly reference: string[];
    readonly bleu_13a: number;
    readonly bleu_zh: number;
    readonly chrf2: number;
  }[];
  readonly words: ({ readonly text: string } & Readonly<Record<WordRule, string[]>>)[];
}

const file = "text_similarity.json";
const pair = (made: string, reference: string) => ({ made, reference });

goldenTest("golden-eval", [file], "the words of a text are sacrebleu's, sign by sign", (set) => {
  for (const { text, ...words } of set.json<Similarity>(file).words) {
    for (const rule of ["13a", "zh"] as const) {
      assert.deepEqual(wordsOf(text, rule), words[rule], `${rule}: ${JSON.stringify(text)}`);
    }
  }
});

goldenTest("golden-eval", [file], "BLEU and chrF of sets of texts are sacrebleu's", (set) => {
  for (const { name, made, reference, ...golden } of set.json<Similarity>(file).pairs) {
    const pairs = made.map((text, index) => pair(text, reference[index] ?? ""));
    for (const rule of ["13a", "zh"] as const) {
      const hasWords = reference.some((text) => wordsOf(text, rule).length > 0);
      const bleu = corpusBleu(pairs, rule);
      assertClose(bleu ?? 0, golden[`bleu_${rule}`], 1e-9, `${name}: BLEU, ${rule}`);
      assert.equal(bleu !== undefined, hasWords);
    }
    assertClose(corpusChrf(pairs) ?? 0, golden.chrf2, 1e-9, `${name}: chrF2`);
  }
});

test("BLEU by hand: precisions 5/6, 3/5, 2/4, 1/3 and nothing for brevity", () => {
  const bleu = corpusBleu([pair("a b c d x e", "a b c d y e")], "13a") ?? 0;
  assertClose(bleu, 100 * ((5 / 6) * (3 / 5) * (2 / 4) * (1 / 3)) ** (1 / 4), 1e-9);
});

test("chrF by hand: a word of two characters, one of them right", () => {
  // Sizes 1 and 2: 1 of 2 and 0 of 1, so precision and recall are both 1/4, and so is their F.
  assertClose(corpusChrf([pair("ab", "ac")]) ?? 0, 25, 1e-9);
});

test("compared with nothing there is no number; nothing made is 0", () => {
  assert.deepEqual([corpusBleu([pair("a b", " \n")], "13a"), corpusChrf([pair("a b", " \n")])], [undefined, undefined]);
  assert.deepEqual([corpusBleu([], "13a"), corpusChrf([])], [undefined, undefined]);
  assert.deepEqual([corpusBleu([pair("", "a b")], "13a"), corpusChrf([pair("", "a b")])], [0, 0]);
});

test("one Chinese character in any text, and each one is a word; a whole sentence would be one otherwise", () => {
  assert.equal(wordRuleFor(["Call me Ishmael.", "naïve “café” 🐋"]), "13a");
  assert.equal(wordRuleFor(["Call me Ishmael.", "天"]), "zh");
  assert.deepEqual(wordsOf("天下大勢，ok.", "zh"), ["天", "下", "大", "勢", "，", "ok", "."]);
  assert.deepEqual(wordsOf("天下大勢，ok.", "13a"), ["天下大勢，ok", "."]);
});
