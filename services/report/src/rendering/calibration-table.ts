/** The bins of a calibration that hold a prediction, as a table for every format. */
import type { Calibration_Bin } from "@pretrain/proto";
import { ratio } from "../record/evaluation-numbers.ts";
import { counted, fixed, percent } from "./figures.ts";
import type { Block } from "./record-document.ts";

export function calibrationTable(bins: readonly Calibration_Bin[]): Extract<Block, { kind: "table" }> {
  return {
    kind: "table",
    columns: [
      { title: "Confidence" },
      { title: "Predictions", numeric: true },
      { title: "Mean confidence", numeric: true },
      { title: "Came true", numeric: true },
    ],
    rows: bins.filter(({ tokens }) => tokens > 0n).map(binRow),
  };
}

function binRow({ low, high, tokens, confidenceSum, correct }: Calibration_Bin): string[] {
  const range = `${fixed(low, 3)} to ${fixed(high, 3)}`;
  return [range, counted(tokens), percent(confidenceSum / Number(tokens)), percent(ratio(correct, tokens))];
}
