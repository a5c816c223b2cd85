/** What the page asks of its own service's API, as any other program would: the same rules, the same answers. */
import {
  AnnotateReportRequestSchema,
  AnnotationSchema,
  type ReportService,
  VerificationSchema,
  VerifyReportRequestSchema,
} from "@pretrain/proto";
import type { PretrainClient } from "@pretrain/rpc";
import { type Action, unary } from "./action.ts";

/** Broker and ledger have it by then, or it is to be asked again. */
const annotatingMs = 15_000;
/** The record is computed and rendered again, and every checkpoint that is there may be read. */
const verifyingMs = 600_000;

export function recordActions(report: PretrainClient<typeof ReportService>): Record<string, Action> {
  return {
    annotate: unary(AnnotateReportRequestSchema, AnnotationSchema, annotatingMs, report.annotateReport),
    verify: unary(VerifyReportRequestSchema, VerificationSchema, verifyingMs, report.verifyReport),
  };
}
