/** Test support: a run whose record was written and announced, as the service does it, and ways to look at it. */
import { pathToFileURL } from "node:url";
import { create } from "@bufbuild/protobuf";
import { type BlobStore, openBlobs } from "@pretrain/blobs";
import { type Verification, VerifyReportRequestSchema } from "@pretrain/proto";
import { temporaryDirectory } from "@pretrain/testing";
import { verifyReport } from "../handlers/verify-report.ts";
import { addClaims } from "../ledger/claims.ts";
import { EventWriter } from "../ledger/event-writer.ts";
import type { LedgerEvent } from "../ledger/ledger-event.ts";
import type { Ledger } from "../ledger/open-ledger.ts";
import { reportWritten, writeRecord } from "../publishing/write-record.ts";
import { renderRecord } from "../rendering/render-record.ts";
import { reportOfLedger } from "../reports/report-of-ledger.ts";
import { ledgerOf } from "./ledger-of.ts";
import { nonceOf } from "./run-shape.ts";

export interface WrittenRecord {
  readonly ledger: Ledger;
  readonly blobs: BlobStore;
  /** Folder of the blobs. */
  readonly folder: string;
  readonly verify: (checkCheckpoints?: boolean) => Promise<Verification>;
}

interface Scope {
  after(cleanUp: () => void): void;
}

const experiment = "1-4-0";

/** @param events of a run that is over, with its claim */
export async function writtenRecord(t: Scope, events: readonly LedgerEvent[]): Promise<WrittenRecord> {
  const ledger = ledgerOf(events);
  addClaims(ledger, [{ experiment, attempt: 1, nonce: nonceOf(1), resumesFrom: 0 }]);
  const folder = temporaryDirectory(t);
  const blobs = openBlobs(pathToFileURL(folder).href);
  await publish(ledger, blobs);
  const verify = verifyReport({ ledger, blobs, settled: async () => {} });
  const request = { name: `experiments/${experiment}/report` };
  return {
    ledger,
    blobs,
    folder,
    verify: (checkCheckpoints = false) => verify(create(VerifyReportRequestSchema, { ...request, checkCheckpoints })),
  };
}

async function publish(ledger: Ledger, blobs: BlobStore): Promise<void> {
  const report = reportOfLedger(ledger, experiment);
  if (report === undefined) throw new Error("there is no event");
  const record = renderRecord(report);
  await writeRecord(blobs, experiment, record);
  const message = reportWritten(experiment, report, record.sha256, new Date());
  new EventWriter(ledger).append([{ kind: "report", message }]);
}

/** Names of the checks that failed. */
export function failedChecks({ checks }: Verification): string[] {
  return checks.filter(({ differences }) => differences.length > 0).map(({ name }) => name);
}

/** What was found by a check, as `place: recorded, not computed`. */
export function differencesOf({ checks }: Verification, name: string): string[] {
  const check = checks.find((each) => each.name === name);
  return (check?.differences ?? []).map(({ place, recorded, computed }) => `${place}: ${recorded}, not ${computed}`);
}
