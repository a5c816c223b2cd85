/** chrF2: how much of two texts is the same, in runs of one to six characters. Knows no words, so it serves any language. */
import { addMatches, matchesOf, type TextPair } from "./text-pairs.ts";
import { whitespace } from "./words.ts";

const sizes = [1, 2, 3, 4, 5, 6];
const recallWeight = 2 ** 2; // beta 2: recall counts twice as much as precision

/**
 * Of all pairs together, 0 to 100: F2 of mean precision and mean recall over the sizes that both sides have. Blanks are left out;
 * characters are code points. Source: Popović 2015, aclanthology.org/W15-3049; as sacrebleu computes `corpus_chrf`.
 *
 * @returns undefined when the references have no character
 */
export function corpusChrf(pairs: readonly TextPair[]): number | undefined {
  const texts = pairs.map(({ made, reference }) => [characters(made), characters(reference)] as const);
  if (texts.every(([, reference]) => reference.length === 0)) return undefined;
  const counted = sizes
    .map((size) => matchesIn(texts, size))
    .filter(({ made, reference }) => made > 0 && reference > 0);
  const mean = (of: "made" | "reference") =>
    counted.reduce((sum, matches) => sum + matches.common / matches[of], 0) / Math.max(1, counted.length);
  const [precision, recall] = [mean("made"), mean("reference")];
  if (precision + recall === 0) return 0;
  return (100 * (1 + recallWeight) * precision * recall) / (recallWeight * precision + recall);
}

/** Runs of a made text whose reference is too short to have one of that size are not counted. */
function matchesIn(texts: readonly (readonly [made: string[], reference: string[]])[], size: number) {
  return texts
    .map(([made, reference]) => {
      const matches = matchesOf(made, reference, size);
      return matches.reference === 0 ? { ...matches, made: 0 } : matches;
    })
    .reduce(addMatches, { made: 0, reference: 0, common: 0 });
}

function characters(text: string): string[] {
  return Array.from(text.split(whitespace).join(""));
}
