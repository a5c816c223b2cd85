/** The forms of a record. report.json is the source; the documents are written from the same Report message alone. */
import { createHash } from "node:crypto";
import { toJsonString } from "@bufbuild/protobuf";
import { type Report, ReportSchema } from "@pretrain/proto";
import { documentOfReport } from "./document-of-report.ts";
import { renderHtml, sectionsHtml } from "./html/render-html.ts";
import type { Language } from "./language/language.ts";
import { renderMarkdown } from "./markdown/render-markdown.ts";

/** Every document of a record by its file name. */
export const recordDocuments = {
  "report.md": (report: Report) => recordMarkdown(report, "en"),
  "report.html": (report: Report) => recordHtml(report, "en"),
  "report.zh.md": (report: Report) => recordMarkdown(report, "zh"),
  "report.zh.html": (report: Report) => recordHtml(report, "zh"),
} as const satisfies Readonly<Record<string, (report: Report) => string>>;

type DocumentName = keyof typeof recordDocuments;

export interface RenderedRecord {
  readonly json: string;
  /** SHA-256 of `json` in UTF-8, in hex. */
  readonly sha256: string;
  readonly documents: Readonly<Record<DocumentName, string>>;
}

/** ProtoJSON, its members in the order of the .proto, indented by one space. */
export function recordJson(report: Report): string {
  return `${toJsonString(ReportSchema, report, { prettySpaces: 1 })}\n`;
}

export function recordSha256(json: string): string {
  return createHash("sha256").update(json, "utf8").digest("hex");
}

export function recordMarkdown(report: Report, language: Language): string {
  return renderMarkdown(documentOfReport(report, language));
}

export function recordHtml(report: Report, language: Language): string {
  return renderHtml(documentOfReport(report, language));
}

/**
 * Sections as they stand in the HTML document, without the page around them: for a page of one's own, with `recordStyle`.
 * @param ids of the sections wanted, in the record's order whatever theirs; all when left out
 */
export function recordSectionsHtml(report: Report, language: Language, ids?: readonly string[]): string {
  return sectionsHtml(documentOfReport(report, language), ids);
}

export function renderRecord(report: Report): RenderedRecord {
  const json = recordJson(report);
  const documents = Object.entries(recordDocuments).map(([name, render]) => [name, render(report)] as const);
  return { json, sha256: recordSha256(json), documents: Object.fromEntries(documents) as RenderedRecord["documents"] };
}
