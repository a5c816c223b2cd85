/** No prediction may depend on what comes after it: a token changed in the future leaves every prediction before it alone. */
import type { InferenceProgram } from "@pretrain/inference-program";
import type { LoadedModel } from "../load-model.ts";
import { type Canary, largestDifference, shapeName, shown } from "./canary.ts";
import { lengthsIn, textRows } from "./exam-rows.ts";

/**
 * The token in the middle of each row is changed. Its own loss changes then; what was predicted in its place must not, or the
 * prediction has seen it:
 *
 *     tokens        a    b    c    D    e      D is changed
 *     losses             =    =    *    ?      the same before it, another for it
 *     predicted          =    =    =    ?      the likeliest token's probability, also in its place
 */
export const causality: Canary<LoadedModel> = {
  name: "causality",
  claim: "a changed token changes its own loss, and neither the losses before it nor what is predicted in its place",
  unit: "nats",
  limit: 1e-5, // 1e-6 was found, the last digit of a loss of 10 nats in float32
  shapes: "each",
  examine: ({ program, shape: { vocabularySize }, tokenizer }, shape) => {
    const rows = textRows(tokenizer, lengthsIn(shape));
    const changed = rows.map((row) => row.with(middle(row), ((row[middle(row)] ?? 0) + 1) % vocabularySize));
    const [before, after] = [predicted(program, rows, shape.rows), predicted(program, changed, shape.rows)];
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

function predicted(program: InferenceProgram, rows: readonly number[][], atOnce: number): Predicted {
  const scores = program.scores(rows, atOnce).map((each, index) => ({ ...each, end: middle(rows[index] ?? []) }));
  return {
    own: scores.map(({ losses, end }) => losses[end - 1] ?? Number.NaN),
    earlier: scores.flatMap(({ losses, end }) => [...losses.subarray(0, end - 1)]),
    predicted: scores.flatMap(({ confidence, end }) => [...confidence.subarray(0, end)]),
  };
}

function middle(row: readonly number[]): number {
  return Math.floor(row.length / 2);
}
