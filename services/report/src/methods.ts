/** The methods of the service, one line each. */
import { ReportService } from "@pretrain/proto";
import { callerOf, type ServedService, service } from "@pretrain/rpc";
import { type Annotating, annotateReport } from "./handlers/annotate-report.ts";
import { type ComparisonDependencies, compareExperiments } from "./handlers/compare-experiments.ts";
import type { Dependencies } from "./handlers/dependencies.ts";
import { exportBundle } from "./handlers/export-bundle.ts";
import { getReport } from "./handlers/get-report.ts";
import { queryMetrics } from "./handlers/query-metrics.ts";
import { readSteps } from "./handlers/read-steps.ts";
import { renderComparison } from "./handlers/render-comparison.ts";
import { renderReport } from "./handlers/render-report.ts";
import { type Publishing, verifyReport } from "./handlers/verify-report.ts";
import { type Watching, watchMetrics } from "./handlers/watch-metrics.ts";

export function reportMethods(
  dependencies: Dependencies & Publishing & Watching & Annotating & ComparisonDependencies,
): ServedService {
  const annotate = annotateReport(dependencies);
  return service(ReportService, {
    getReport: getReport(dependencies),
    renderReport: renderReport(dependencies),
    queryMetrics: queryMetrics(dependencies),
    watchMetrics: watchMetrics(dependencies),
    readSteps: readSteps(dependencies),
    annotateReport: (request, context) => annotate(request, callerOf(context)),
    verifyReport: verifyReport(dependencies),
    exportBundle: exportBundle(dependencies),
    compareExperiments: compareExperiments(dependencies),
    renderComparison: renderComparison(dependencies),
  });
}
