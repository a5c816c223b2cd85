/** A record as one HTML file: its style is in it, it needs no script and loads nothing. Equal documents, equal bytes. */
import { createHash } from "node:crypto";
import { chaptersOf } from "../chapters.ts";
import { type Phrases, phrasesOf } from "../language/phrases.ts";
import type { Origin, RecordDocument, Section } from "../record-document.ts";
import { blockHtml, cellHtml } from "./block-html.ts";
import { Html, html } from "./html-text.ts";
import { recordStyle } from "./record-style.ts";

/** What a browser may do with the record: use this one style sheet. Nothing else, whatever is in the text. */
export const recordSecurityPolicy = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(recordStyle).digest("base64")}'; base-uri 'none'; form-action 'none'`;

export function renderHtml(document: RecordDocument): string {
  const words = phrasesOf(document.language);
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
${header(document, words)}
${contents(document.sections, words)}
<main>
${chaptersHtml(document.sections, words)}
</main>
</div>
</body>
</html>
`;
  return page.text;
}

/** @param ids of the sections wanted; all, under the titles of their chapters, when left out */
export function sectionsHtml({ language, sections }: RecordDocument, ids?: readonly string[]): string {
  const words = phrasesOf(language);
  if (ids === undefined) return html`${chaptersHtml(sections, words)}`.text;
  const wanted = sections.filter(({ id }) => ids.includes(id));
  return wanted.map((section) => sectionHtml(section, words).text).join("");
}

function header({ language, title, summary }: RecordDocument, { document }: Phrases): Html {
  const { legend, originMeanings: meanings } = document;
  return html`<header>
<h1>${title}</h1>
<dl class="summary">${summary.map(([name, value]) => html`<div><dt>${name}</dt><dd>${cellHtml(value, language)}</dd></div>`)}</dl>
<p class="legend">${legend}</p>
<ul class="legend">${(["given", "measured", "generated"] as const).map((origin) => html`<li>${originHtml(origin, document)} ${meanings[origin]}</li>`)}</ul>
</header>`;
}

function contents(sections: readonly Section[], { document }: Phrases): Html {
  const parts = chaptersOf(sections).map(({ title, sections: those }) => {
    const links = html`<ol>${those.map((section) => html`<li><a href="#${section.id}">${section.title}</a></li>`)}</ol>`;
    return title === undefined ? links : html`<div><p>${title}</p>${links}</div>`;
  });
  return html`<nav aria-label="${document.contents}">${parts}</nav>`;
}

function chaptersHtml(sections: readonly Section[], words: Phrases): Html[] {
  return chaptersOf(sections).map(({ title, sections: those }) => chapterHtml(title, those, words));
}

function chapterHtml(title: string | undefined, sections: readonly Section[], words: Phrases): Html {
  const content = sections.map((section) => sectionHtml(section, words));
  return title === undefined ? html`${content}` : html`<h2 class="chapter">${title}</h2>\n${content}`;
}

function sectionHtml({ id, title, origin, source, blocks }: Section, words: Phrases): Html {
  const { document } = words;
  return html`<section id="${id}" aria-labelledby="${id}-title">
<h3 id="${id}-title">${title} ${originHtml(origin, document)}</h3>
<p class="source">${source}${document.stop}</p>
${blocks.map((block) => blockHtml(block, words))}
</section>
`;
}

function originHtml(origin: Origin, { origins }: Phrases["document"]): Html {
  return html`<span class="origin ${origin}">${origins[origin]}</span>`;
}
