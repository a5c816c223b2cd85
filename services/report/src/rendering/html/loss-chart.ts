/**
 * The loss curve as SVG inside the page: the mean as a line, a band from the smallest to the largest loss behind it, epochs as
 * dashed lines, evaluations as diamonds with their numbers, warnings as triangles along the axis. Lines differ in form as well as in
 * colour.
 */
import { counted, loss } from "../figures.ts";
import type { Phrases } from "../language/phrases.ts";
import type { CurveFigure } from "../record-document.ts";
import { axisTicks } from "./axis-ticks.ts";
import { type Html, html } from "./html-text.ts";

const width = 960;
const height = 400;
const edge = { left: 56, right: 24, top: 20, bottom: 48 };

/** From numbers to places in the picture. */
interface Scale {
  readonly x: (microStep: number) => number;
  readonly y: (loss: number) => number;
  readonly lastMicroStep: number;
  readonly low: number;
  readonly high: number;
}

export function lossChart(figure: CurveFigure, { result: { chart: words } }: Phrases): Html {
  const scale = scaleOf(figure);
  const last = figure.points.at(-1);
  const first = figure.points[0];
  const description = words.description(counted(scale.lastMicroStep), loss(first?.mean), loss(last?.mean));
  return html`<svg viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="chart-title chart-text">
<title id="chart-title">${words.title}</title><desc id="chart-text">${description}</desc>
${axes(scale, words)}${epochLines(figure, scale, words)}${targetLine(figure, scale, words)}
<path class="band" d="${bandPath(figure, scale)}"/>
<path class="mean" d="${linePath(figure.points.map(({ microStep, mean }) => [scale.x(Number(microStep)), scale.y(mean)]))}"/>
${evaluationMarks(figure, scale, words)}${warningMarks(figure, scale)}
</svg>
<figcaption>${legend(figure, words)}</figcaption>`;
}

function scaleOf({ points, evaluations, target }: CurveFigure): Scale {
  const lastMicroStep = Number(points.at(-1)?.microStep ?? 1n);
  const values = [
    ...points.flatMap(({ min, max }) => [min, max]),
    ...evaluations.map((mark) => mark.loss),
    ...(target === undefined ? [] : [target]),
  ];
  const finite = values.filter(Number.isFinite);
  const [smallest, largest] = [Math.min(...finite), Math.max(...finite)];
  const margin = Math.max(0.05, (largest - smallest) * 0.06);
  const [low, high] = [Math.max(0, smallest - margin), largest + margin];
  const [innerWidth, innerHeight] = [width - edge.left - edge.right, height - edge.top - edge.bottom];
  return {
    x: (microStep) => edge.left + (innerWidth * microStep) / lastMicroStep,
    y: (value) => edge.top + innerHeight * (1 - (Math.min(high, Math.max(low, value)) - low) / (high - low)),
    lastMicroStep,
    low,
    high,
  };
}

type Words = Phrases["result"]["chart"];

function axes(scale: Scale, words: Words): Html {
  const bottom = height - edge.bottom;
  const rows = axisTicks(scale.low, scale.high, 6).map((value) => {
    const y = place(scale.y(value));
    return html`<line class="grid" x1="${edge.left}" x2="${width - edge.right}" y1="${y}" y2="${y}"/><text class="y" x="${edge.left - 8}" y="${y}">${String(value)}</text>`;
  });
  const columns = axisTicks(0, scale.lastMicroStep, 8)
    .filter(Number.isInteger)
    .map((value) => html`<text class="x" x="${place(scale.x(value))}" y="${bottom + 18}">${counted(value)}</text>`);
  return html`${rows}<line class="axis" x1="${edge.left}" x2="${width - edge.right}" y1="${bottom}" y2="${bottom}"/>${columns}
<text class="x" x="${place((edge.left + width - edge.right) / 2)}" y="${height - 8}">${words.across}</text>
<text class="name" x="${edge.left}" y="12">${words.up}</text>`;
}

function epochLines({ epochEnds }: CurveFigure, scale: Scale, words: Words): readonly Html[] {
  return epochEnds.map((microStep, index) => {
    const x = place(scale.x(microStep));
    return html`<line class="epoch" x1="${x}" x2="${x}" y1="${edge.top}" y2="${height - edge.bottom}"/><text class="note" x="${x}" y="${edge.top + 8}" dx="-4">${words.epoch(String(index + 1))}</text>`;
  });
}

function targetLine({ target }: CurveFigure, scale: Scale, words: Words): Html {
  if (target === undefined) return html``;
  const y = place(scale.y(target));
  return html`<line class="target" x1="${edge.left}" x2="${width - edge.right}" y1="${y}" y2="${y}"/><text class="note" x="${width - edge.right}" y="${y}" dy="-5">${words.target(String(target))}</text>`;
}

/** Along the largest losses to the right, back along the smallest. */
function bandPath({ points }: CurveFigure, scale: Scale): string {
  const upper = points.map(({ microStep, max }) => [scale.x(Number(microStep)), scale.y(max)] as const);
  const lower = points.map(({ microStep, min }) => [scale.x(Number(microStep)), scale.y(min)] as const);
  return `${linePath([...upper, ...lower.reverse()])}Z`;
}

function linePath(places: readonly (readonly [x: number, y: number])[]): string {
  return places.map(([x, y], index) => `${index === 0 ? "M" : "L"}${place(x)} ${place(y)}`).join("");
}

function evaluationMarks({ evaluations }: CurveFigure, scale: Scale, words: Words): readonly Html[] {
  return evaluations.map(({ microStep, loss: value }) => {
    const [x, y] = [scale.x(microStep), scale.y(value)];
    const diamond = `${linePath([
      [x, y - 6],
      [x + 6, y],
      [x, y + 6],
      [x - 6, y],
    ])}Z`;
    return html`<path class="evaluation" d="${diamond}"><title>${words.evaluation(loss(value), counted(microStep))}</title></path>${markLabel(x, y, loss(value))}`;
  });
}

/** At most so many: a run that warns all the time would be a row of triangles and nothing else. The table has them all. */
const shownWarnings = 100;

function warningMarks({ warnings }: CurveFigure, scale: Scale): readonly Html[] {
  const bottom = height - edge.bottom;
  return warnings.slice(0, shownWarnings).map(({ microStep, what }) => {
    const x = scale.x(microStep);
    const triangle = `${linePath([
      [x, bottom - 11],
      [x + 5, bottom - 2],
      [x - 5, bottom - 2],
    ])}Z`;
    return html`<path class="warning" d="${triangle}"><title>${what}: ${counted(microStep)}</title></path>`;
  });
}

/** To the right of its mark, where there is room: to the left the curve is higher. */
function markLabel(x: number, y: number, text: string): Html {
  if (x > width * 0.85) return html`<text class="note" x="${place(x)}" y="${place(y)}" dx="-4" dy="-10">${text}</text>`;
  return html`<text class="note right" x="${place(x)}" y="${place(y)}" dx="4" dy="-10">${text}</text>`;
}

function legend({ evaluations, warnings, target }: CurveFigure, words: Words): Html {
  const parts = [words.legendLine];
  if (evaluations.length > 0) parts.push(words.legendEvaluations);
  if (warnings.length > 0) parts.push(words.legendWarnings);
  if (target !== undefined) parts.push(words.legendTarget);
  return html`${parts.join(" ")}`;
}

function place(coordinate: number): string {
  return coordinate.toFixed(1);
}
