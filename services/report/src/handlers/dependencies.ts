/** What the methods need, and how a request names an experiment. */
import { NotFound } from "@pretrain/errors";
import type { Report } from "@pretrain/proto";
import { experimentName, idOfExperimentName } from "@pretrain/recipe";
import type { Ledger } from "../ledger/open-ledger.ts";
import type { CurrentReports } from "../reports/current-reports.ts";

export interface Dependencies {
  readonly ledger: Ledger;
  readonly reports: CurrentReports;
}

/**
 * The record named `experiments/{experiment}/report`, in any spelling of the id.
 * @throws NotFound when the ledger holds nothing of it
 */
export function reportNamed(reports: CurrentReports, name: string): Report {
  const experiment = idOfExperimentName(name.replace(/\/report$/, ""));
  const report = reports.current(experiment);
  if (report === undefined) throw unknownExperiment(experiment);
  return report;
}

export function unknownExperiment(experiment: string): NotFound {
  const name = experimentName(experiment);
  return new NotFound("EXPERIMENT_UNKNOWN", `the ledger holds no event of ${name}`, { name });
}
