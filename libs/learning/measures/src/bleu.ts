/** BLEU-4: how much of what was written, in runs of one to four words, stands in the text that it is compared with. */
import { addMatches, type Matches, matchesOf, type TextPair } from "./text-pairs.ts";
import { type WordRule, wordsOf } from "./words.ts";

const sizes = [1, 2, 3, 4];

/**
 * Of all pairs together, 0 to 100: the geometric mean of the four precisions, times exp(1 - reference words / made words) where less
 * was written. A size without a match counts as half a match, the next such one as a quarter, …: smoothing `exp`. Source: Papineni et
 * al. 2002, aclanthology.org/P02-1040; Chen and Cherry 2014, aclanthology.org/W14-3346, method 3; as sacrebleu computes `corpus_bleu`.
 *
 * @returns undefined when the references have no word
 */
export function corpusBleu(pairs: readonly TextPair[], rule: WordRule): number | undefined {
  const words = pairs.map(({ made, reference }) => [wordsOf(made, rule), wordsOf(reference, rule)] as const);
  const matches = sizes.map((size) =>
    words
      .map(([made, reference]) => matchesOf(made, reference, size))
      .reduce(addMatches, { made: 0, reference: 0, common: 0 }),
  );
  const { made = 0, reference = 0 } = matches[0] ?? {};
  if (reference === 0) return undefined;
  const brevity = made === 0 ? 0 : Math.min(1, Math.exp(1 - reference / made));
  const product = precisions(matches).reduce((all, precision) => all * precision, 1);
  return 100 * brevity * product ** (1 / sizes.length);
}

/** 0 where no run of that size was made, or no word matches at all. */
function precisions(matches: readonly Matches[]): number[] {
  if (matches.every(({ common }) => common === 0)) return matches.map(() => 0);
  let halved = 1;
  return matches.map(({ made, common }) => {
    if (made === 0) return 0;
    if (common > 0) return common / made;
    halved /= 2;
    return halved / made;
  });
}
