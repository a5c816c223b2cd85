/** Experiments side by side for the page: the sections below its curves, and the same as one file. */
import type { ServerResponse } from "node:http";
import { InvalidArgument } from "@pretrain/errors";
import type { Route } from "@pretrain/observability";
import { experimentId, experimentName } from "@pretrain/recipe";
import { type ComparisonDependencies, compareExperiments } from "../handlers/compare-experiments.ts";
import { curveOf } from "../handlers/render-comparison.ts";
import { comparisonHtml, comparisonSectionsHtml } from "../rendering/comparison/render-comparison.ts";
import { recordSecurityPolicy } from "../rendering/html/render-html.ts";
import { languageNamed } from "../rendering/language/language.ts";
import { answering, send } from "./answering.ts";

const most = 16;

/** `?ids=a,b,c&language=zh`; the first one is the baseline. */
export function comparisonRoutes(dependencies: ComparisonDependencies): Route[] {
  const rendered = (render: typeof comparisonHtml) => async (response: ServerResponse, url: URL) => {
    const experiments = namesIn(url.searchParams);
    const comparison = await compareExperiments(dependencies)({ experiments });
    const curves = experiments.map((name) => curveOf(dependencies, name));
    const language = languageNamed(url.searchParams.get("language"));
    response.setHeader("Content-Security-Policy", `${recordSecurityPolicy}; frame-ancestors 'none'`);
    send(response, "text/html; charset=utf-8", render(comparison, curves, language));
  };
  return [
    { path: "/compare/comparison.html", handle: answering(rendered(comparisonHtml)) },
    { path: "/api/comparison", handle: answering(rendered(comparisonSectionsHtml)) },
  ];
}

function namesIn(parameters: URLSearchParams): string[] {
  const ids = (parameters.get("ids") ?? "").split(",").filter(Boolean);
  if (ids.length >= 2 && ids.length <= most) return ids.map((id) => experimentName(experimentId(id, "ids")));
  const description = `has ${ids.length} experiments; 2 to ${most} are compared, such as ids=1-4-0,1-4-1`;
  throw new InvalidArgument([{ field: "ids", description }]);
}
