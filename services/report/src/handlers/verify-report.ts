/** VerifyReport: the published record against the ledger. */
import type { BlobStore } from "@pretrain/blobs";
import { Aborted } from "@pretrain/errors";
import { type Report, Report_Completeness, type Verification, type VerifyReportRequest } from "@pretrain/proto";
import { idOfExperimentName } from "@pretrain/recipe";
import { countOfLinks } from "../ledger/arrival-chain.ts";
import type { Ledger } from "../ledger/open-ledger.ts";
import { reportOfLedger } from "../reports/report-of-ledger.ts";
import { skipped } from "../verification/check.ts";
import { arrivalFaults } from "../verification/check-chain.ts";
import { checkCheckpoints } from "../verification/check-checkpoints.ts";
import { checkEvents } from "../verification/check-events.ts";
import { readPublishedRecord } from "../verification/published-record.ts";
import { verifyRecord } from "../verification/verify-record.ts";
import { unknownExperiment } from "./dependencies.ts";

export interface Publishing {
  readonly ledger: Ledger;
  readonly blobs: BlobStore;
  /** Resolves when the record of an experiment is not about to be written, or after a while. */
  readonly settled: (experiment: string) => Promise<void>;
}

/** Of a verification that was overtaken by an event. */
const mostTries = 3;

export const verifyReport =
  (publishing: Publishing) =>
  async ({ name, checkCheckpoints: areWanted }: VerifyReportRequest): Promise<Verification> => {
    const { ledger, settled } = publishing;
    const experiment = idOfExperimentName(name.replace(/\/report$/, ""));
    for (let tries = 1; tries <= mostTries; tries += 1) {
      await settled(experiment);
      const links = countOfLinks(ledger, experiment);
      const computed = reportOfLedger(ledger, experiment);
      if (computed === undefined) throw unknownExperiment(experiment);
      const found = await verified(publishing, experiment, computed, areWanted);
      const isOpen = computed.completeness !== Report_Completeness.FINAL; // then what may change is not compared
      if (isOpen || countOfLinks(ledger, experiment) === links) return found;
    }
    throw new Aborted("LEDGER_CHANGED", `${name}: events keep coming; verify it again`, { name });
  };

async function verified(
  { ledger, blobs }: Publishing,
  experiment: string,
  computed: Report,
  areCheckpointsWanted: boolean,
): Promise<Verification> {
  return verifyRecord({
    ledger,
    experiment,
    computed,
    published: await readPublishedRecord(blobs, experiment),
    events: await checkEvents(ledger, experiment),
    linkFaults: arrivalFaults(ledger, experiment),
    checkpoints: areCheckpointsWanted
      ? await checkCheckpoints(blobs, computed.checkpoints)
      : skipped("checkpoints", "was not asked for"),
  });
}
