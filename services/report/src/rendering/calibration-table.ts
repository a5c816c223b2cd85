/** The bins of a calibration that hold a prediction, as a table for every format. */
import type { Calibration_Bin } from "@pretrain/proto";
import { ratio } from "../record/evaluation-numbers.ts";
import { counted, fixed, percent } from "./figures.ts";
import type { Phrases } from "./language/phrases.ts";
import type { Block } from "./record-document.ts";

export function calibrationTable(
  bins: readonly Calibration_Bin[],
  { evaluation: { distributions: words } }: Phrases,
): Extract<Block, { kind: "table" }> {
  return {
    kind: "table",
    columns: [
      { title: words.confidence },
      { title: words.predictions, numeric: true },
      { title: words.meanConfidence, numeric: true },
      { title: words.cameTrue, numeric: true },
    ],
    rows: bins.filter(({ tokens }) => tokens > 0n).map(binRow),
  };
}

function binRow({ low, high, tokens, confidenceSum, correct }: Calibration_Bin): string[] {
  const range = `${fixed(low, 3)}–${fixed(high, 3)}`;
  return [range, counted(tokens), percent(confidenceSum / Number(tokens)), percent(ratio(correct, tokens))];
}
