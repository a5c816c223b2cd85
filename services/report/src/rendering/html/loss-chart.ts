/**
 * The loss curve as SVG inside the page: the mean as a line, a band from the smallest to the largest loss behind it, epochs as
 * dashed lines, evaluations as diamonds with their numbers. Lines differ in form as well as in colour.
 */
import { counted, loss } from "../figures.ts";
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

export function lossChart(figure: CurveFigure): Html {
  const scale = scaleOf(figure);
  const last = figure.points.at(-1);
  const description = `Training loss over ${counted(scale.lastMicroStep)} micro-steps, from ${loss(figure.points[0]?.mean)} to ${loss(last?.mean)} nats per token.`;
  return html`<svg viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="chart-title chart-text">
<title id="chart-title">Loss curve</title><desc id="chart-text">${description}</desc>
${axes(scale)}${epochLines(figure, scale)}${targetLine(figure, scale)}
<path class="band" d="${bandPath(figure, scale)}"/>
<path class="mean" d="${linePath(figure.points.map(({ microStep, mean }) => [scale.x(Number(microStep)), scale.y(mean)]))}"/>
${evaluationMarks(figure, scale)}
</svg>
<figcaption>${legend(figure)}</figcaption>`;
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

function axes(scale: Scale): Html {
  const bottom = height - edge.bottom;
  const rows = axisTicks(scale.low, scale.high, 6).map((value) => {
    const y = place(scale.y(value));
    return html`<line class="grid" x1="${edge.left}" x2="${width - edge.right}" y1="${y}" y2="${y}"/><text class="y" x="${edge.left - 8}" y="${y}">${String(value)}</text>`;
  });
  const columns = axisTicks(0, scale.lastMicroStep, 8)
    .filter(Number.isInteger)
    .map((value) => html`<text class="x" x="${place(scale.x(value))}" y="${bottom + 18}">${counted(value)}</text>`);
  return html`${rows}<line class="axis" x1="${edge.left}" x2="${width - edge.right}" y1="${bottom}" y2="${bottom}"/>${columns}
<text class="x" x="${place((edge.left + width - edge.right) / 2)}" y="${height - 8}">micro-step</text>
<text class="name" x="${edge.left}" y="12">loss, nats per token</text>`;
}

function epochLines({ epochEnds }: CurveFigure, scale: Scale): readonly Html[] {
  return epochEnds.map((microStep, index) => {
    const x = place(scale.x(microStep));
    return html`<line class="epoch" x1="${x}" x2="${x}" y1="${edge.top}" y2="${height - edge.bottom}"/><text class="note" x="${x}" y="${edge.top + 8}" dx="-4">epoch ${index + 1}</text>`;
  });
}

function targetLine({ target }: CurveFigure, scale: Scale): Html {
  if (target === undefined) return html``;
  const y = place(scale.y(target));
  return html`<line class="target" x1="${edge.left}" x2="${width - edge.right}" y1="${y}" y2="${y}"/><text class="note" x="${width - edge.right}" y="${y}" dy="-5">target ${String(target)}</text>`;
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

function evaluationMarks({ evaluations }: CurveFigure, scale: Scale): readonly Html[] {
  return evaluations.map(({ microStep, loss: value }) => {
    const [x, y] = [scale.x(microStep), scale.y(value)];
    const diamond = `${linePath([
      [x, y - 6],
      [x + 6, y],
      [x, y + 6],
      [x - 6, y],
    ])}Z`;
    return html`<path class="evaluation" d="${diamond}"><title>validation loss ${loss(value)} at micro-step ${counted(microStep)}</title></path>${markLabel(x, y, loss(value))}`;
  });
}

/** To the right of its mark, where there is room: to the left the curve is higher. */
function markLabel(x: number, y: number, text: string): Html {
  if (x > width * 0.85) return html`<text class="note" x="${place(x)}" y="${place(y)}" dx="-4" dy="-10">${text}</text>`;
  return html`<text class="note right" x="${place(x)}" y="${place(y)}" dx="4" dy="-10">${text}</text>`;
}

function legend({ evaluations, target }: CurveFigure): Html {
  const parts = ["Line: mean training loss. Band: smallest to largest."];
  if (evaluations.length > 0) parts.push("Diamonds: validation loss of a checkpoint.");
  if (target !== undefined) parts.push("Dotted line: target of the training loss.");
  return html`${parts.join(" ")}`;
}

function place(coordinate: number): string {
  return coordinate.toFixed(1);
}
