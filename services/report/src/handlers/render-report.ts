/** RenderReport: the record as a document, with the digest of the report.json that it was rendered from. */
import { create } from "@bufbuild/protobuf";
import {
  type RenderReportRequest,
  RenderReportRequest_Format,
  type RenderReportResponse,
  RenderReportResponseSchema,
} from "@pretrain/proto";
import { languageNamed } from "../rendering/language/language.ts";
import { recordHtml, recordJson, recordMarkdown, recordSha256 } from "../rendering/render-record.ts";
import { type Dependencies, reportNamed } from "./dependencies.ts";

export const renderReport =
  ({ reports }: Dependencies) =>
  ({ name, format, language }: RenderReportRequest): RenderReportResponse => {
    const report = reportNamed(reports, name);
    const wanted = languageNamed(language);
    const isHtml = format === RenderReportRequest_Format.HTML;
    return create(RenderReportResponseSchema, {
      document: isHtml ? recordHtml(report, wanted) : recordMarkdown(report, wanted),
      mediaType: isHtml ? "text/html" : "text/markdown",
      reportSha256: recordSha256(recordJson(report)),
    });
  };
