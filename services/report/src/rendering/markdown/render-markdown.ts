/** A record as Markdown: readable as it is, and a page wherever Markdown is shown. Equal documents, equal bytes. */
import { calibrationTable } from "../calibration-table.ts";
import type { Block, RecordDocument, SampleText, Section } from "../record-document.ts";
import { curveTable } from "./curve-table.ts";
import { cellMarkdown, factsTable, table } from "./markdown-table.ts";
import { markdownBlock, markdownText } from "./markdown-text.ts";

export function renderMarkdown({ title, summary, sections }: RecordDocument): string {
  const legend =
    "Each section says where its content comes from: **given** by a person before the run, **measured** while it ran, " +
    "**generated** from what was measured, by rules.";
  return `${[`# ${markdownText(title)}`, factsTable(summary), legend, ...sections.flatMap(sectionBlocks)].join("\n\n")}\n`;
}

function sectionBlocks({ title, origin, source, blocks }: Section): string[] {
  return [`## ${markdownText(title)}`, `**${origin}**: ${markdownText(source)}.`, ...blocks.map(blockMarkdown)];
}

function blockMarkdown(block: Block): string {
  switch (block.kind) {
    case "paragraph":
      return markdownText(block.text);
    case "heading":
      return `### ${markdownText(block.text)}`;
    case "words":
      return `**${markdownText(block.label)}**\n\n${markdownBlock(block.text)}`;
    case "facts":
      return factsTable(block.rows);
    case "table":
      return table(block.columns, block.rows);
    case "list":
      return block.items.map((item) => `- ${cellMarkdown(item)}`).join("\n");
    case "curve":
      return curveTable(block.figure);
    case "calibration": {
      const { columns, rows } = calibrationTable(block.bins);
      return table(columns, rows);
    }
    case "sample":
      return sample(block.sample);
    case "source":
      return markdownBlock(block.text, "json");
  }
}

function sample({ title, input, predicted, truth, note }: SampleText): string {
  const parts = [
    ["Input", input],
    ["Prediction", predicted],
    ["Truth", truth],
  ] as const;
  const blocks = parts.map(([name, text]) => `${name}:\n\n${markdownBlock(text)}`);
  return [`### ${markdownText(title)}`, ...blocks, `${markdownText(note)}.`].join("\n\n");
}
