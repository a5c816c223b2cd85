/** CompareExperiments: records side by side, with the evaluator's word on the validation losses. */
import { InvalidArgument } from "@pretrain/errors";
import type { CompareExperimentsRequest, ExperimentComparison, Report } from "@pretrain/proto";
import { idOfExperimentName } from "@pretrain/recipe";
import { compareReports } from "../comparison/compare-reports.ts";
import { incomparable } from "../comparison/incomparable.ts";
import type { PairedDifference } from "../comparison/metric-rows.ts";
import type { PairedDifferences } from "../comparison/paired-differences.ts";
import { standingEvaluation } from "../comparison/standing-evaluation.ts";
import { type Dependencies, reportNamed } from "./dependencies.ts";

export type ComparisonDependencies = Pick<Dependencies, "reports"> & {
  readonly paired: Pick<PairedDifferences, "between">;
};

/** @throws InvalidArgument when one is named twice, NotFound when the ledger holds nothing of one */
export const compareExperiments =
  (dependencies: ComparisonDependencies) =>
  async ({ experiments }: Pick<CompareExperimentsRequest, "experiments">): Promise<ExperimentComparison> => {
    const ids = experiments.map((name, index) => idOfExperimentName(name, `experiments[${index}]`));
    const twice = ids.findIndex((id, index) => ids.indexOf(id) !== index);
    if (twice >= 0) {
      const description = `${experiments[twice]} is there twice; an experiment is compared with others`;
      throw new InvalidArgument([{ field: `experiments[${twice}]`, description }]);
    }
    const [baseline, ...candidates] = ids.map((id) => reportNamed(dependencies.reports, `experiments/${id}/report`));
    if (baseline === undefined) throw new InvalidArgument([{ field: "experiments", description: "is empty" }]);
    const paired = [];
    for (const candidate of candidates) paired.push(await pairedWith(dependencies, baseline, candidate)); // two at once at most there
    return compareReports(baseline, candidates, paired);
  };

async function pairedWith(
  { paired }: ComparisonDependencies,
  baseline: Report,
  candidate: Report,
): Promise<PairedDifference | undefined> {
  if (incomparable(baseline, candidate).evaluation.length > 0) return undefined;
  const [one, other] = [standingEvaluation(baseline), standingEvaluation(candidate)];
  return one && other && (await paired.between(one.name, other.name));
}
