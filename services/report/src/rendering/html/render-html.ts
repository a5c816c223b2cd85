/** A record as one HTML file: its style is in it, it needs no script and loads nothing. Equal documents, equal bytes. */
import { createHash } from "node:crypto";
import type { Origin, RecordDocument, Section } from "../record-document.ts";
import { blockHtml, cellHtml } from "./block-html.ts";
import { Html, html } from "./html-text.ts";
import { recordStyle } from "./record-style.ts";

/** What a browser may do with the record: use this one style sheet. Nothing else, whatever is in the text. */
export const recordSecurityPolicy = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(recordStyle).digest("base64")}'; base-uri 'none'; form-action 'none'`;

export function renderHtml(document: RecordDocument): string {
  const page = html`<!doctype html>
<html lang="${document.language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="${recordSecurityPolicy}">
<title>${document.title}</title>
<style>${new Html(recordStyle)}</style>
</head>
<body>
<div class="page">
${header(document)}
${contents(document.sections)}
<main>
${document.sections.map(sectionHtml)}
</main>
</div>
</body>
</html>
`;
  return page.text;
}

/** @param ids of the sections wanted; all when left out */
export function sectionsHtml({ sections }: RecordDocument, ids?: readonly string[]): string {
  const wanted = sections.filter(({ id }) => ids === undefined || ids.includes(id));
  return wanted.map((section) => sectionHtml(section).text).join("");
}

function header({ title, summary }: RecordDocument): Html {
  return html`<header>
<h1>${title}</h1>
<dl class="summary">${summary.map(([name, value]) => html`<div><dt>${name}</dt><dd>${cellHtml(value)}</dd></div>`)}</dl>
<p class="legend">Each section says where its content comes from: ${originHtml("given")} by a person before the run, ${originHtml("measured")} while it ran, ${originHtml("generated")} from what was measured, by rules.</p>
</header>`;
}

function contents(sections: readonly Section[]): Html {
  return html`<nav aria-label="Contents"><ol>${sections.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`)}</ol></nav>`;
}

function sectionHtml({ id, title, origin, source, blocks }: Section): Html {
  return html`<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${title} ${originHtml(origin)}</h2>
<p class="source">${source}.</p>
${blocks.map(blockHtml)}
</section>
`;
}

function originHtml(origin: Origin): Html {
  return html`<span class="origin ${origin}">${origin}</span>`;
}
