/** Loss curves of several experiments where there are no pictures: their losses at the same micro-steps. */
import type { ComparedCurve } from "../comparison/compared-curve.ts";
import { absent, counted, loss } from "../figures.ts";
import type { Phrases } from "../language/phrases.ts";
import { table } from "./markdown-table.ts";

const rows = 12;

export function overlayTable(curves: readonly ComparedCurve[], { result: { chart: words } }: Phrases): string {
  const last = Math.max(0, ...curves.flatMap(({ points }) => points.map(({ microStep }) => Number(microStep))));
  const steps = Array.from({ length: rows }, (_, index) => Math.max(1, Math.round(((index + 1) * last) / rows)));
  const titles = [words.toMicroStep, ...curves.map(({ title }) => title)];
  return table(
    titles.map((title) => ({ title, numeric: true })),
    [...new Set(steps)].map((step) => [counted(step), ...curves.map((curve) => lossAt(curve, step))]),
  );
}

/** Of the point that holds the micro-step; a run that was shorter has none. */
function lossAt({ points }: ComparedCurve, step: number): string {
  const point = points.find(({ microStep }) => Number(microStep) >= step);
  return point === undefined ? absent : loss(point.mean);
}
