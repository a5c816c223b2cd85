/** GetReport: the record as it stands now. */
import type { GetReportRequest, Report } from "@pretrain/proto";
import { type Dependencies, reportNamed } from "./dependencies.ts";

export const getReport =
  ({ reports }: Dependencies) =>
  ({ name }: GetReportRequest): Report =>
    reportNamed(reports, name);
