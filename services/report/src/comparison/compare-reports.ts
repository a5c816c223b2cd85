/** Records side by side: what was done otherwise, what came out, and what of it can be compared at all. No I/O. */
import { create } from "@bufbuild/protobuf";
import {
  type ComparedExperiment,
  ComparedExperimentSchema,
  type ExperimentComparison,
  ExperimentComparisonSchema,
  type Report,
} from "@pretrain/proto";
import { present } from "../record/present.ts";
import { verdictCounts } from "../record/verdict-counts.ts";
import { incomparable, type Reasons } from "./incomparable.ts";
import { metricRows, type PairedDifference } from "./metric-rows.ts";
import { recipeRows } from "./recipe-rows.ts";
import { sampleRows } from "./sample-rows.ts";

/** @param paired of each candidate, in their order, what a comparison of the validation losses row by row gave */
export function compareReports(
  baseline: Report,
  candidates: readonly Report[],
  paired: readonly (PairedDifference | undefined)[],
): ExperimentComparison {
  const judged = candidates.map((report, index) => ({
    report,
    reasons: incomparable(baseline, report),
    paired: paired[index],
  }));
  const nothing = incomparable(baseline, baseline);
  return create(ExperimentComparisonSchema, {
    experiments: [column(baseline, nothing), ...judged.map(({ report, reasons }) => column(report, reasons))],
    recipeRows: recipeRows([baseline, ...candidates].map(({ recipe }) => recipe)),
    metricRows: metricRows(baseline, judged),
    sampleRows: sampleRows(
      baseline,
      judged.map(({ report, reasons }) => (reasons.samples.length === 0 ? report : undefined)),
    ),
  });
}

function column(report: Report, { evaluation, training }: Reasons): ComparedExperiment {
  const { name, title, completeness, execution, indicators } = report;
  const { targets, met } = verdictCounts(indicators);
  return create(ComparedExperimentSchema, {
    name: name.replace(/\/report$/, ""),
    title,
    completeness,
    ...present({ execution }),
    targets,
    targetsMet: met,
    evaluationsIncomparable: [...evaluation],
    trainingIncomparable: [...training],
  });
}
