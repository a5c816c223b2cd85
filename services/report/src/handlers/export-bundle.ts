/** ExportBundle: a record with everything that it follows from. */
import { create } from "@bufbuild/protobuf";
import { FailedPrecondition } from "@pretrain/errors";
import {
  type ExportBundleRequest,
  type ExportBundleResponse,
  ExportBundleResponseSchema,
  Report_Completeness,
  type ReportWritten,
} from "@pretrain/proto";
import { idOfExperimentName } from "@pretrain/recipe";
import type { Ledger } from "../ledger/open-ledger.ts";
import { readEvents } from "../ledger/read-history.ts";
import { recordJson, recordSha256 } from "../rendering/render-record.ts";
import { reportOfLedger } from "../reports/report-of-ledger.ts";
import { type PublishedRecord, readPublishedRecord } from "../verification/published-record.ts";
import { bundlePieces } from "../verification/write-bundle.ts";
import { unknownExperiment } from "./dependencies.ts";
import type { Publishing } from "./verify-report.ts";

export const exportBundle = ({ ledger, blobs, settled }: Publishing) =>
  async function* ({ name }: ExportBundleRequest): AsyncGenerator<ExportBundleResponse> {
    const experiment = idOfExperimentName(name.replace(/\/report$/, ""));
    await settled(experiment);
    const published = await readPublishedRecord(blobs, experiment);
    expectCurrent(ledger, experiment, published);
    const announcement = announcementOf(ledger, experiment, published.sha256);
    for (const { file, content } of bundlePieces({ ledger, experiment, published, announcement })) {
      yield create(ExportBundleResponseSchema, { file, content });
    }
  };

/** Files that are not what the ledger gives would make a bundle that nobody can believe: VerifyReport says what differs. */
function expectCurrent(ledger: Ledger, experiment: string, { sha256 }: PublishedRecord): void {
  const report = reportOfLedger(ledger, experiment);
  if (report === undefined) throw unknownExperiment(experiment);
  const { name, completeness } = report;
  if (completeness !== Report_Completeness.FINAL) {
    throw new FailedPrecondition("RECORD_OPEN", `${name} is open: its numbers may still change`, { name });
  }
  if (sha256 === "") {
    throw new FailedPrecondition("RECORD_NOT_WRITTEN", `${name} is not written yet; ask again`, { name });
  }
  const computed = recordSha256(recordJson(report));
  if (computed === sha256) return;
  const message = `${name} was written as ${sha256}, the ledger gives ${computed}; VerifyReport says what differs`;
  throw new FailedPrecondition("RECORD_DIFFERS", message, { name, written: sha256, computed });
}

function announcementOf(ledger: Ledger, experiment: string, sha256: string): ReportWritten | undefined {
  return readEvents(ledger, experiment, "report").find(({ reportSha256 }) => reportSha256 === sha256);
}
