/** The loss curve where there are no pictures: a line of blocks, and its numbers at some micro-steps. */
import type { CurvePoint } from "@pretrain/proto";
import { counted, loss } from "../figures.ts";
import type { Phrases } from "../language/phrases.ts";
import type { CurveFigure } from "../record-document.ts";
import { table } from "./markdown-table.ts";

const blocks = "▁▂▃▄▅▆▇█";
const sparkWidth = 60;
const tableRows = 12;

export function curveTable({ points, evaluations }: CurveFigure, { result: { chart: words } }: Phrases): string {
  const rows = spread(points, tableRows).map(({ microStep, min, mean, max }) => [
    counted(microStep),
    loss(mean),
    loss(min),
    loss(max),
  ]);
  const numeric = true;
  const columns = [
    { title: words.toMicroStep, numeric },
    { title: words.mean, numeric },
    { title: words.smallest, numeric },
    { title: words.largest, numeric },
  ] as const;
  const marks = evaluations.map((mark) => words.mark(loss(mark.loss), counted(mark.microStep))).join("; ");
  return [`\`${sparkline(points)}\``, table(columns, rows), ...(marks === "" ? [] : [words.validation(marks)])].join(
    "\n\n",
  );
}

/** One block for each of 60 points, the lowest for the smallest mean. */
function sparkline(points: readonly CurvePoint[]): string {
  const means = spread(points, sparkWidth).map(({ mean }) => mean);
  const [low, high] = [Math.min(...means), Math.max(...means)];
  return means
    .map((mean) => blocks[high > low ? Math.round(((mean - low) / (high - low)) * (blocks.length - 1)) : 0])
    .join("");
}

/** At most `wanted` points, evenly spread, the first and the last among them. */
function spread(points: readonly CurvePoint[], wanted: number): readonly CurvePoint[] {
  if (points.length <= wanted) return points;
  return Array.from(
    { length: wanted },
    (_, index) => points[Math.round((index * (points.length - 1)) / (wanted - 1))],
  ).flatMap((point) => point ?? []);
}
