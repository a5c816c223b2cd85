/** The record of an experiment as the ledger gives it now; a final one with the chain over everything that it was computed from. */
import { type Report, Report_Completeness } from "@pretrain/proto";
import { canonicalChain } from "../ledger/canonical-chain.ts";
import type { Ledger } from "../ledger/open-ledger.ts";
import { readHistory } from "../ledger/read-history.ts";
import { buildReport } from "../record/build-report.ts";

/** Undefined when the ledger holds nothing of that experiment. */
export function reportOfLedger(ledger: Ledger, experiment: string): Report | undefined {
  const history = readHistory(ledger, experiment);
  if (history === undefined) return undefined;
  const report = buildReport(history);
  if (report.completeness === Report_Completeness.FINAL) report.chain = canonicalChain(ledger, experiment);
  return report;
}
