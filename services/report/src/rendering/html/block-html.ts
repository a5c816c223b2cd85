/** Each kind of block as HTML. */
import { calibrationTable } from "../calibration-table.ts";
import type { Block, Cell, Column, SampleText } from "../record-document.ts";
import { visibleText } from "../visible-text.ts";
import { calibrationChart } from "./calibration-chart.ts";
import { type Html, html } from "./html-text.ts";
import { lossChart } from "./loss-chart.ts";

export function blockHtml(block: Block): Html {
  switch (block.kind) {
    case "paragraph":
      return html`<p>${block.text}</p>\n`;
    case "heading":
      return html`<h3>${block.text}</h3>\n`;
    case "words":
      return html`<div class="words"><h3>${block.label}</h3><blockquote>${block.text}</blockquote></div>\n`;
    case "facts":
      return html`<dl class="facts">${block.rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${cellHtml(value)}</dd></div>`)}</dl>\n`;
    case "table":
      return tableHtml(block.columns, block.rows);
    case "list":
      return html`<ul>${block.items.map((item) => html`<li>${cellHtml(item)}</li>`)}</ul>\n`;
    case "curve":
      return html`<figure>${lossChart(block.figure)}</figure>\n`;
    case "calibration":
      return html`<figure>${calibrationChart(block.bins)}</figure>\n${blockHtml(calibrationTable(block.bins))}`;
    case "sample":
      return sampleHtml(block.sample);
    case "source":
      return html`<pre>${block.text}</pre>\n`;
  }
}

/** Scrolls by itself where a screen is narrower than the table. */
function tableHtml(columns: readonly Column[], rows: readonly (readonly Cell[])[]): Html {
  const cell = (value: Cell, column: Column | undefined) =>
    column?.numeric ? html`<td class="number">${cellHtml(value)}</td>` : html`<td>${cellHtml(value)}</td>`;
  return html`<div class="table" tabindex="0" role="group" aria-label="Table"><table>
<thead><tr>${columns.map(({ title, numeric }) => (numeric ? html`<th scope="col" class="number">${title}</th>` : html`<th scope="col">${title}</th>`))}</tr></thead>
<tbody>
${rows.map((row) => html`<tr>${row.map((value, index) => cell(value, columns[index]))}</tr>\n`)}</tbody>
</table></div>
`;
}

export function cellHtml(cell: Cell): Html {
  if (typeof cell === "string") return html`${cell}`;
  if ("code" in cell) return html`<code class="${breaking(cell.code)}">${cell.code}</code>`;
  return html`<span class="${cell.tone ?? "plain"} ${breaking(cell.text)}">${cell.text}</span>`;
}

/** A name or a verdict stays on one line; a digest may be broken anywhere. */
function breaking(text: string): "short" | "long" {
  return visibleText(text).length <= 28 ? "short" : "long";
}

function sampleHtml({ title, input, predicted, truth, note }: SampleText): Html {
  return html`<article class="sample"><h3>${title}</h3>
<dl><dt>Input</dt><dd>${input}</dd><dt>Prediction</dt><dd>${predicted}</dd><dt>Truth</dt><dd>${truth}</dd></dl>
<p class="source">${note}.</p></article>
`;
}
