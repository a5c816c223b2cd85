/** How rows are put together changes no number: neither their places, nor their company, nor padding, nor the width of a batch. */
import type { LoadedModel } from "../load-model.ts";
import { type Canary, largestDifference, shapeName } from "./canary.ts";
import { lengthsIn, textRows } from "./exam-rows.ts";

/** Tokens that fit into the narrowest batch. */
const beginningTokens = 24;

/**
 * Every second row gives way to one of two tokens, so that the others stand at other places, beside more padding:
 *
 *     together   aaaaaaaa  bbbbbb  cccc  dd      a and c must cost the same both times, and the beginning of a
 *     moved      xx  cccc  xx  aaaaaaaa          what it costs alone, in a batch of one narrow row
 */
export const rowIndependence: Canary<LoadedModel> = {
  name: "row_independence",
  claim:
    "a row costs the same at any place, beside any rows and padding, and its beginning the same as alone in a narrow batch",
  unit: "nats",
  limit: 1e-3, // none was found with kernels of our own, 1e-5 without; padding that is read by mistake costs 0.01 and more
  shapes: "widest",
  examine: ({ program, tokenizer }, shape) => {
    const rows = textRows(tokenizer, lengthsIn(shape));
    const moved = rows.map((row, index) => (index % 2 === 0 ? row : row.slice(-2))).toReversed();
    const together = program.losses(rows, shape.rows);
    const apart = program.losses(moved, shape.rows).toReversed();
    const [alone = new Float32Array()] = program.losses([(rows[0] ?? []).slice(0, beginningTokens)]);
    const kept = together.flatMap((losses, index) => (index % 2 === 0 ? [[losses, apart[index] ?? []] as const] : []));
    const beginning = (together[0] ?? alone).subarray(0, alone.length);
    const differences = [...kept, [beginning, alone] as const].map(([one, other]) => largestDifference(one, other));
    const [narrow = 0, ...others] = differences.toReversed();
    const evidence = `${shapeName(shape)}: ${narrow.toExponential(1)} alone, ${Math.max(...others).toExponential(1)} in other company`;
    return { deviation: Math.max(...differences), evidence };
  },
};
