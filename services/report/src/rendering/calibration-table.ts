/** The bins of a calibration as a table, for every format. */
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
    rows: bins.map((bin) => [
      `${fixed(bin.low, 3)} to ${fixed(bin.high, 3)}`,
      counted(bin.tokens),
      percent(bin.tokens === 0n ? undefined : bin.confidenceSum / Number(bin.tokens)),
      percent(ratio(bin.correct, bin.tokens)),
    ]),
  };
}
