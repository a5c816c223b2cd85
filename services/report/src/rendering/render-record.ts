/** The three forms of a record. report.json is the source; the other two are written from the same Report message alone. */
import { createHash } from "node:crypto";
import { toJsonString } from "@bufbuild/protobuf";
import { type Report, ReportSchema } from "@pretrain/proto";
import { documentOfReport } from "./document-of-report.ts";
import { renderHtml } from "./html/render-html.ts";
import { renderMarkdown } from "./markdown/render-markdown.ts";

export interface RenderedRecord {
  readonly json: string;
  readonly markdown: string;
  readonly html: string;
  /** SHA-256 of `json` in UTF-8, in hex. */
  readonly sha256: string;
}

/** ProtoJSON, its members in the order of the .proto, indented by one space. */
export function recordJson(report: Report): string {
  return `${toJsonString(ReportSchema, report, { prettySpaces: 1 })}\n`;
}

export function recordSha256(json: string): string {
  return createHash("sha256").update(json, "utf8").digest("hex");
}

export function recordMarkdown(report: Report): string {
  return renderMarkdown(documentOfReport(report));
}

export function recordHtml(report: Report): string {
  return renderHtml(documentOfReport(report));
}

export function renderRecord(report: Report): RenderedRecord {
  const json = recordJson(report);
  return { json, markdown: recordMarkdown(report), html: recordHtml(report), sha256: recordSha256(json) };
}
