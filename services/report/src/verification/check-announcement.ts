/** `announcement`: the event that says that this very record was written is in the ledger. */
import type { Verification_Check } from "@pretrain/proto";
import type { Ledger } from "../ledger/open-ledger.ts";
import { isAnnounced } from "../reports/known-experiments.ts";
import { checked } from "./check.ts";

/** @param sha256 of the report.json that was published */
export function checkAnnouncement(ledger: Ledger, experiment: string, sha256: string): Verification_Check {
  if (isAnnounced(ledger, experiment, sha256)) return checked("announcement", `report/${sha256}`, []);
  const found = { place: `report/${sha256}`, recorded: "is not in the ledger", computed: "announces a record" };
  return checked("announcement", `${announcements(ledger, experiment)} records were announced, this one was not`, [
    found,
  ]);
}

export function announcements({ database }: Ledger, experiment: string): number {
  const row = database
    .prepare("SELECT COUNT(*) AS events FROM events WHERE experiment = ? AND kind = 'report'")
    .get(experiment);
  return Number(row?.["events"]);
}
