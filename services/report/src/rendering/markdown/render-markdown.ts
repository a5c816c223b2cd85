/** A record as Markdown: readable as it is, and a page wherever Markdown is shown. Equal documents, equal bytes. */
import { calibrationTable } from "../calibration-table.ts";
import { type Chapter, chaptersOf } from "../chapters.ts";
import { type Phrases, phrasesOf } from "../language/phrases.ts";
import type { Block, RecordDocument, SampleText, Section, Statement } from "../record-document.ts";
import { curveTable } from "./curve-table.ts";
import { cellMarkdown, factsTable, spokenMarkdown, table } from "./markdown-table.ts";
import { markdownBlock, markdownText } from "./markdown-text.ts";
import { overlayTable } from "./overlay-table.ts";

export function renderMarkdown({ language, title, summary, sections }: RecordDocument): string {
  const words = phrasesOf(language);
  const parts = [
    `# ${markdownText(title)}`,
    factsTable(summary),
    ...legend(words),
    ...chaptersOf(sections).flatMap((chapter) => chapterBlocks(chapter, words)),
  ];
  return `${parts.join("\n\n")}\n`;
}

function legend({ document }: Phrases): string[] {
  const origins = (["given", "measured", "generated"] as const).map(
    (origin) => `- **${document.origins[origin]}**: ${document.originMeanings[origin]}`,
  );
  return [document.legend, origins.join("\n")];
}

function chapterBlocks({ title, sections }: Chapter, words: Phrases): string[] {
  const content = sections.flatMap((section) => sectionBlocks(section, words));
  return title === undefined ? content : [`## ${markdownText(title)}`, ...content];
}

function sectionBlocks({ title, origin, source, blocks }: Section, words: Phrases): string[] {
  const { origins, stop } = words.document;
  return [
    `### ${markdownText(title)}`,
    `**${origins[origin]}**: ${markdownText(source)}${stop}`,
    ...blocks.map((block) => blockMarkdown(block, words)),
  ];
}

function blockMarkdown(block: Block, words: Phrases): string {
  switch (block.kind) {
    case "paragraph":
      return markdownText(block.text);
    case "heading":
      return `#### ${markdownText(block.text)}`;
    case "words":
      return `**${markdownText(block.label)}**\n\n${markdownBlock(block.text)}`;
    case "facts":
      return factsTable(block.rows);
    case "table":
      return table(block.columns, block.rows);
    case "list":
      return block.items.map((item) => `- ${cellMarkdown(item)}`).join("\n");
    case "statements":
      return block.items.map(statementMarkdown).join("\n");
    case "curve":
      return curveTable(block.figure, words);
    case "overlay":
      return overlayTable(block.curves, words);
    case "calibration": {
      const { columns, rows } = calibrationTable(block.bins, words);
      return table(columns, rows);
    }
    case "sample":
      return sample(block.sample, words);
    case "source":
      return [
        ...(block.title === undefined ? [] : [markdownText(block.title)]),
        markdownBlock(block.text, block.language),
      ].join("\n\n");
  }
}

function statementMarkdown({ words, done, struck, notes }: Statement): string {
  const box = done === undefined ? "" : done ? "[x] " : "[ ] ";
  return [`- ${box}${spokenMarkdown(words, struck)}`, ...notes.map(cellMarkdown)].join("<br>");
}

function sample({ title, input, predicted, truth, note }: SampleText, { evaluation, document }: Phrases): string {
  const { samples } = evaluation;
  const parts = [
    [samples.input, input],
    [samples.prediction, predicted],
    [samples.truth, truth],
  ] as const;
  const blocks = parts.map(([name, text]) => `${markdownText(name)}:\n\n${markdownBlock(text)}`);
  return [`#### ${markdownText(title)}`, ...blocks, `${markdownText(note)}${document.stop}`].join("\n\n");
}
