/** Each kind of block as HTML. */
import { calibrationTable } from "../calibration-table.ts";
import type { Language } from "../language/language.ts";
import { languageOfWords } from "../language/language-of-words.ts";
import type { Phrases } from "../language/phrases.ts";
import type { Block, Cell, Column, SampleText, Statement } from "../record-document.ts";
import { visibleText } from "../visible-text.ts";
import { calibrationChart } from "./calibration-chart.ts";
import { type Html, html } from "./html-text.ts";
import { lossChart } from "./loss-chart.ts";
import { overlayChart } from "./overlay-chart.ts";

export function blockHtml(block: Block, words: Phrases): Html {
  const { language } = words;
  switch (block.kind) {
    case "paragraph":
      return block.tone === undefined
        ? html`<p>${block.text}</p>\n`
        : html`<p class="${block.tone}">${block.text}</p>\n`;
    case "heading":
      return html`<h4>${block.text}</h4>\n`;
    case "words":
      return html`<div class="words"><h4>${block.label}</h4>${spoken("blockquote", block.text, language)}</div>\n`;
    case "facts":
      return html`<dl class="facts">${block.rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${cellHtml(value, language)}</dd></div>`)}</dl>\n`;
    case "table":
      return tableHtml(block.columns, block.rows, words);
    case "list":
      return html`<ul>${block.items.map((item) => html`<li>${cellHtml(item, language)}</li>`)}</ul>\n`;
    case "statements":
      return html`<ul class="statements">${block.items.map((item) => statementHtml(item, words))}</ul>\n`;
    case "curve":
      return html`<figure tabindex="0">${lossChart(block.figure, words)}</figure>\n`;
    case "overlay":
      return html`<figure tabindex="0">${overlayChart(block.curves, words)}</figure>\n`;
    case "calibration":
      return html`<figure tabindex="0">${calibrationChart(block.bins, words)}</figure>\n${blockHtml(calibrationTable(block.bins, words), words)}`;
    case "sample":
      return sampleHtml(block.sample, words);
    case "source":
      return html`${caption(block.title, language)}<pre tabindex="0">${block.text}</pre>\n`;
  }
}

function caption(title: string | undefined, language: Language): Html {
  return title === undefined ? html`` : html`<p class="source">${spoken("span", title, language)}</p>`;
}

/** Scrolls by itself where a screen is narrower than the table. */
function tableHtml(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  { document, language }: Phrases,
): Html {
  const cell = (value: Cell, column: Column | undefined) =>
    column?.numeric
      ? html`<td class="number">${cellHtml(value, language)}</td>`
      : html`<td>${cellHtml(value, language)}</td>`;
  return html`<div class="table" tabindex="0" role="group" aria-label="${document.table}"><table>
<thead><tr>${columns.map(({ title, numeric }) => (numeric ? html`<th scope="col" class="number">${title}</th>` : html`<th scope="col">${title}</th>`))}</tr></thead>
<tbody>
${rows.map((row) => html`<tr>${row.map((value, index) => cell(value, columns[index]))}</tr>\n`)}</tbody>
</table></div>
`;
}

/** @param language of what stands around it */
export function cellHtml(cell: Cell, language: Language): Html {
  if (typeof cell === "string") return html`${cell}`;
  if ("code" in cell) return html`<code class="${breaking(cell.code)}">${cell.code}</code>`;
  if ("words" in cell) return spoken(cell.struck ? "s" : "span", cell.words, language);
  return html`<span class="${cell.tone ?? "plain"} ${breaking(cell.text)}">${cell.text}</span>`;
}

/** Somebody else's words; their language is named where it is another one. */
function spoken(element: "blockquote" | "dd" | "s" | "span", text: string, language: Language): Html {
  const own = languageOfWords(text);
  const named = text === "" || own === language ? html`` : html` lang="${own}"`;
  switch (element) {
    case "blockquote":
      return html`<blockquote${named}>${text}</blockquote>`;
    case "dd":
      return html`<dd${named}>${text}</dd>`;
    case "s":
      return html`<s${named}>${text}</s>`;
    case "span":
      return html`<span${named}>${text}</span>`;
  }
}

/** A box says whether it is done; it can't be ticked here, since a record does not change by being read. */
function statementHtml({ words, done, struck, notes }: Statement, { judgement, language }: Phrases): Html {
  const { actions } = judgement;
  const box =
    done === undefined
      ? html``
      : done
        ? html`<input type="checkbox" checked disabled aria-label="${actions.done}"> `
        : html`<input type="checkbox" disabled aria-label="${actions.open}"> `;
  const said = spoken(struck ? "s" : "span", words, language);
  return html`<li>${box}${said}<p class="source">${notes.map((note) => html`${cellHtml(note, language)}<br>`)}</p></li>`;
}

/** A name or a verdict stays on one line; a digest may be broken anywhere. */
function breaking(text: string): "short" | "long" {
  return visibleText(text).length <= 28 ? "short" : "long";
}

function sampleHtml({ title, input, predicted, truth, note }: SampleText, words: Phrases): Html {
  const { evaluation, document, language } = words;
  const { samples } = evaluation;
  return html`<article class="sample"><h4>${title}</h4>
<dl><dt>${samples.input}</dt>${spoken("dd", input, language)}<dt>${samples.prediction}</dt>${spoken("dd", predicted, language)}<dt>${samples.truth}</dt>${spoken("dd", truth, language)}</dl>
<p class="source">${note}${document.stop}</p></article>
`;
}
