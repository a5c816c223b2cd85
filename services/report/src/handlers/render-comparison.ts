/** RenderComparison: experiments side by side as a document. The page shows its sections through `comparisonHtml`. */
import { createHash } from "node:crypto";
import { create, toJsonString } from "@bufbuild/protobuf";
import {
  ExperimentComparisonSchema,
  type RenderComparisonRequest,
  RenderReportRequest_Format,
  type RenderReportResponse,
  RenderReportResponseSchema,
} from "@pretrain/proto";
import { idOfExperimentName } from "@pretrain/recipe";
import type { ComparedCurve } from "../rendering/comparison/compared-curve.ts";
import { comparisonHtml, comparisonMarkdown } from "../rendering/comparison/render-comparison.ts";
import { languageNamed } from "../rendering/language/language.ts";
import { type ComparisonDependencies, compareExperiments } from "./compare-experiments.ts";
import { reportNamed } from "./dependencies.ts";

/** @throws as `compareExperiments` */
export const renderComparison =
  (dependencies: ComparisonDependencies) =>
  async ({ experiments, format, language }: RenderComparisonRequest): Promise<RenderReportResponse> => {
    const comparison = await compareExperiments(dependencies)({ experiments });
    const curves = experiments.map((name) => curveOf(dependencies, name));
    const isHtml = format === RenderReportRequest_Format.HTML;
    const render = isHtml ? comparisonHtml : comparisonMarkdown;
    const json = toJsonString(ExperimentComparisonSchema, comparison);
    return create(RenderReportResponseSchema, {
      document: render(comparison, curves, languageNamed(language)),
      mediaType: isHtml ? "text/html" : "text/markdown",
      reportSha256: createHash("sha256").update(json, "utf8").digest("hex"),
    });
  };

export function curveOf({ reports }: Pick<ComparisonDependencies, "reports">, name: string): ComparedCurve {
  const { title, lossCurve } = reportNamed(reports, `experiments/${idOfExperimentName(name)}/report`);
  return { title, points: lossCurve };
}
