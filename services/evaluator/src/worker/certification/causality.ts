/** No prediction may depend on what comes after it: a token changed in the future leaves every prediction before it alone. */
import type { RowScores } from "@pretrain/inference-program";
import type { LoadedModel } from "../load-model.ts";
import { type Canary, largestDifference, shapeName, shown } from "./canary.ts";
import { lengthsIn, textRows } from "./exam-rows.ts";

/**
 * Each row stands in the batch twice, the second time with another token in its middle. The loss of that token differs then; what was
 * predicted in its place must not, or the prediction has seen it:
 *
 *     tokens        a    b    c    d    e
 *     twin          a    b    c    D    e
 *     losses             =    =    *    ?      the same before it, another one for it
 *     predicted          =    =    =    ?      the likeliest token's probability, also in its place
 */
export const causality: Canary<LoadedModel> = {
  name: "causality",
  claim: "a changed token changes its own loss, and neither the losses before it nor what is predicted in its place",
  unit: "nats",
  limit: 1e-5, // 1e-6 was found, the last digit of a loss of 10 nats in float32
  shapes: "each",
  examine: ({ program, shape: { vocabularySize }, tokenizer }, shape) => {
    const rows = textRows(tokenizer, lengthsIn(shape)).filter((_, index) => index % 2 === 0);
    const twins = rows.map((row) => row.with(middle(row), ((row[middle(row)] ?? 0) + 1) % vocabularySize));
    const scores = program.scores([...rows, ...twins], shape.rows);
    const [before, after] = [scores.slice(0, rows.length), scores.slice(rows.length)].map((each) => upTo(each, rows));
    if (before === undefined || after === undefined) throw new Error("rows were scored and have no scores");
    const effect = largestDifference(after.own, before.own);
    if (effect === 0) return { notApplicable: `${shapeName(shape)}: with these weights every token costs the same` };
    const deviation = Math.max(
      largestDifference(after.earlier, before.earlier),
      largestDifference(after.predicted, before.predicted),
    );
    const seen = `${before.predicted.length} predictions up to changed tokens, whose own losses changed by ${shown(effect)}`;
    return { deviation, evidence: `${shapeName(shape)}: ${seen}` };
  },
};

interface Predicted {
  /** Losses of the tokens in the middle. */
  readonly own: readonly number[];
  readonly earlier: readonly number[];
  /** Of the likeliest token at each place up to the middle, its probability. */
  readonly predicted: readonly number[];
}

function upTo(scores: readonly RowScores[], rows: readonly number[][]): Predicted {
  const ends = rows.map(middle);
  return {
    own: scores.map(({ losses }, index) => losses[(ends[index] ?? 0) - 1] ?? Number.NaN),
    earlier: scores.flatMap(({ losses }, index) => [...losses.subarray(0, (ends[index] ?? 0) - 1)]),
    predicted: scores.flatMap(({ confidence }, index) => [...confidence.subarray(0, ends[index])]),
  };
}

function middle(row: readonly number[]): number {
  return Math.floor(row.length / 2);
}
