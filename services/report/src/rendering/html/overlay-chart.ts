/** Loss curves of several experiments over each other as SVG. Each line has a dash of its own and its number at its end. */
import type { ComparedCurve } from "../comparison/compared-curve.ts";
import { counted, loss } from "../figures.ts";
import type { Phrases } from "../language/phrases.ts";
import { axisTicks } from "./axis-ticks.ts";
import { type Html, html } from "./html-text.ts";

const width = 960;
const height = 400;
const edge = { left: 56, right: 40, top: 20, bottom: 48 };
const dashes = ["none", "8 4", "2 3", "12 3 2 3", "5 2", "1 4", "14 6", "6 2 1 2"];

interface Scale {
  readonly x: (microStep: number) => number;
  readonly y: (value: number) => number;
  readonly last: number;
  readonly low: number;
  readonly high: number;
}

export function overlayChart(curves: readonly ComparedCurve[], { result: { chart: words } }: Phrases): Html {
  const drawn = curves.filter(({ points }) => points.length > 0);
  if (drawn.length === 0) return html``;
  const scale = scaleOf(drawn);
  const lines = drawn.map((curve, index) => line(curve, index, scale));
  return html`<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${drawn.map(({ title }) => title).join(", ")}">
${axes(scale, words)}${lines}
</svg>
<figcaption>${drawn.map(({ title }, index) => html`<span class="key"><svg viewBox="0 0 32 8" aria-hidden="true"><path class="overlay" stroke-dasharray="${dashOf(index)}" d="M0 4H32"/></svg> ${index + 1}: ${title}</span> `)}</figcaption>`;
}

function scaleOf(curves: readonly ComparedCurve[]): Scale {
  const points = curves.flatMap((curve) => curve.points);
  const last = Math.max(...points.map(({ microStep }) => Number(microStep)));
  const means = points.map(({ mean }) => mean).filter(Number.isFinite);
  const [smallest, largest] = [Math.min(...means), Math.max(...means)];
  const margin = Math.max(0.05, (largest - smallest) * 0.06);
  const [low, high] = [Math.max(0, smallest - margin), largest + margin];
  return {
    x: (microStep) => edge.left + ((width - edge.left - edge.right) * microStep) / last,
    y: (value) => edge.top + (height - edge.top - edge.bottom) * (1 - (clamped(value, low, high) - low) / (high - low)),
    last,
    low,
    high,
  };
}

/** What is no finite number is drawn at the edge: the table says what it is. */
function clamped(value: number, low: number, high: number): number {
  return Number.isNaN(value) ? high : Math.min(high, Math.max(low, value));
}

function axes({ x, y, last, low, high }: Scale, words: Phrases["result"]["chart"]): Html {
  const bottom = height - edge.bottom;
  const rows = axisTicks(low, high, 6).map(
    (value) =>
      html`<line class="grid" x1="${edge.left}" x2="${width - edge.right}" y1="${place(y(value))}" y2="${place(y(value))}"/><text class="y" x="${edge.left - 8}" y="${place(y(value))}">${String(value)}</text>`,
  );
  const columns = axisTicks(0, last, 8)
    .filter(Number.isInteger)
    .map((value) => html`<text class="x" x="${place(x(value))}" y="${bottom + 18}">${counted(value)}</text>`);
  return html`${rows}<line class="axis" x1="${edge.left}" x2="${width - edge.right}" y1="${bottom}" y2="${bottom}"/>${columns}
<text class="x" x="${place((edge.left + width - edge.right) / 2)}" y="${height - 8}">${words.across}</text>
<text class="name" x="${edge.left}" y="12">${words.up}</text>`;
}

function line({ title, points }: ComparedCurve, index: number, { x, y }: Scale): Html {
  const path = points
    .map(({ microStep, mean }, at) => `${at === 0 ? "M" : "L"}${place(x(Number(microStep)))} ${place(y(mean))}`)
    .join("");
  const end = points.at(-1);
  const [endX, endY] = [place(x(Number(end?.microStep ?? 0n)) + 6), place(y(end?.mean ?? 0))];
  return html`<path class="overlay" stroke-dasharray="${dashOf(index)}" d="${path}"><title>${title}: ${loss(end?.mean)}</title></path><text class="name" x="${endX}" y="${endY}">${index + 1}</text>`;
}

function dashOf(index: number): string {
  return dashes[index % dashes.length] ?? "none";
}

function place(coordinate: number): string {
  return coordinate.toFixed(1);
}
