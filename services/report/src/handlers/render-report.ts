/** RenderReport: the record as a document, with the digest of the report.json that it was rendered from. */
import { create } from "@bufbuild/protobuf";
import {
  type RenderReportRequest,
  RenderReportRequest_Format,
  type RenderReportResponse,
  RenderReportResponseSchema,
} from "@pretrain/proto";
import { recordHtml, recordJson, recordMarkdown, recordSha256 } from "../rendering/render-record.ts";
import { type Dependencies, reportNamed } from "./dependencies.ts";

export const renderReport =
  ({ reports }: Dependencies) =>
  ({ name, format }: RenderReportRequest): RenderReportResponse => {
    const report = reportNamed(reports, name);
    const isHtml = format === RenderReportRequest_Format.HTML;
    return create(RenderReportResponseSchema, {
      document: isHtml ? recordHtml(report) : recordMarkdown(report),
      mediaType: isHtml ? "text/html" : "text/markdown",
      reportSha256: recordSha256(recordJson(report)),
    });
  };
