/**
 * How sure the model is against how often it is right, as SVG: a bar for each bin of confidence that holds a prediction, as high
 * as the share that came true. On the dashed line a bar is as high as it is sure.
 */
import type { Calibration_Bin } from "@pretrain/proto";
import { ratio } from "../../record/evaluation-numbers.ts";
import { counted, percent } from "../figures.ts";
import type { Phrases } from "../language/phrases.ts";
import { type Html, html } from "./html-text.ts";

const width = 520;
const height = 340;
const edge = { left: 56, right: 16, top: 20, bottom: 48 };

const x = (confidence: number) => edge.left + (width - edge.left - edge.right) * confidence;
const y = (share: number) => height - edge.bottom - (height - edge.top - edge.bottom) * share;

export function calibrationChart(
  bins: readonly Calibration_Bin[],
  { evaluation: { distributions: words } }: Phrases,
): Html {
  return html`<svg class="calibration" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="calibration-title calibration-text">
<title id="calibration-title">${words.calibration}</title><desc id="calibration-text">${words.chartText}</desc>
${ticks()}${line("axis", 0)}
${bins.map((bin) => bar(bin, words))}${line("epoch", 1)}
<text class="x" x="${place(x(0.5))}" y="${height - 8}">${words.across}</text>
<text class="name" x="${place(x(0))}" y="12">${words.up}</text>
</svg>
<figcaption>${words.legend}</figcaption>`;
}

/** From the origin to the right end, at that share there. */
function line(form: string, share: number): Html {
  return html`<line class="${form}" x1="${place(x(0))}" x2="${place(x(1))}" y1="${place(y(0))}" y2="${place(y(share))}"/>`;
}

function ticks(): readonly Html[] {
  return [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const [across, up] = [place(x(share)), place(y(share))];
    return html`<line class="grid" x1="${place(x(0))}" x2="${place(x(1))}" y1="${up}" y2="${up}"/><text class="y" x="${edge.left - 8}" y="${up}">${String(share)}</text><text class="x" x="${across}" y="${height - edge.bottom + 18}">${String(share)}</text>`;
  });
}

function bar({ low, high, tokens, correct }: Calibration_Bin, words: Phrases["evaluation"]["distributions"]): Html {
  const share = ratio(correct, tokens);
  if (share === undefined) return html``;
  const [left, top] = [x(low) + 1, y(share)];
  return html`<rect class="bar" x="${place(left)}" y="${place(top)}" width="${place(x(high) - left - 1)}" height="${place(y(0) - top)}"><title>${words.bar(percent(share), counted(tokens))}</title></rect>`;
}

function place(coordinate: number): string {
  return coordinate.toFixed(1);
}
