/** The addresses that the page reads from; it acts through others (`actions/`). Everything that it shows comes from here, so it works without a network. */
import type { ServerResponse } from "node:http";
import { create } from "@bufbuild/protobuf";
import type { Route } from "@pretrain/observability";
import { type Report, StartExperimentRequestSchema } from "@pretrain/proto";
import { experimentFileText, experimentId } from "@pretrain/recipe";
import { type Dependencies, unknownExperiment } from "../handlers/dependencies.ts";
import { recordSecurityPolicy } from "../rendering/html/render-html.ts";
import { languageNamed } from "../rendering/language/language.ts";
import { recordHtml, recordJson, recordMarkdown, recordSectionsHtml } from "../rendering/render-record.ts";
import { hasEnded, knownExperiments } from "../reports/known-experiments.ts";
import { answering, missing, send, sendJson } from "./answering.ts";
import { curveColumns } from "./curve-columns.ts";
import { detail } from "./detail.ts";
import type { LiveStreams } from "./live-streams.ts";
import { overview } from "./overview.ts";
import { type PageFile, sendFile } from "./page-files.ts";

export interface PageDependencies extends Dependencies {
  readonly live: LiveStreams;
  readonly files: ReadonlyMap<string, PageFile>;
}

const shownExperiments = 200;
export function pageRoutes(dependencies: PageDependencies): Route[] {
  const { ledger, reports, live, files } = dependencies;
  return [
    {
      path: "/",
      handle: (_request, response, url) =>
        url.pathname === "/" ? sendFile(response, files, "index.html") : missing(response),
    },
    {
      path: "/assets/",
      isOpen: true, // whoever logs in needs them first
      handle: (_request, response, url) => sendFile(response, files, url.pathname.slice("/assets/".length)),
    },
    { path: "/compare", handle: (_request, response) => sendFile(response, files, "index.html") },
    { path: "/start", handle: (_request, response) => sendFile(response, files, "index.html") },
    { path: "/experiments/", handle: answering((response, url) => experimentPage(response, url, dependencies)) },
    {
      path: "/api/experiments",
      handle: (_request, response) =>
        json(
          response,
          knownExperiments(ledger, shownExperiments).flatMap((id) => overview(ledger, reports, id) ?? []),
        ),
    },
    { path: "/api/experiments/", handle: answering((response, url) => experimentData(response, url, dependencies)) },
    { path: "/api/live", handle: answering((response, url, request) => live.open(request, response, optionalId(url))) },
  ];
}

/** `/experiments/{id}` is the page; below it are the forms of the record. */
function experimentPage(response: ServerResponse, url: URL, { reports, files }: PageDependencies): void {
  const [id = "", form, ...rest] = url.pathname.slice("/experiments/".length).split("/");
  if (rest.length > 0) return missing(response);
  const language = form?.includes(".zh.") ? "zh" : languageNamed(url.searchParams.get("language"));
  switch (form) {
    case undefined:
      return sendFile(response, files, "index.html");
    case "report.html":
    case "report.zh.html":
      response.setHeader("Content-Security-Policy", `${recordSecurityPolicy}; frame-ancestors 'none'`);
      return send(
        response,
        "text/html; charset=utf-8",
        recordHtml(reportOf(reports.current(canonical(id)), id), language),
      );
    case "report.md":
    case "report.zh.md":
      return send(
        response,
        "text/markdown; charset=utf-8",
        recordMarkdown(reportOf(reports.current(canonical(id)), id), language),
      );
    case "report.json":
      return send(
        response,
        "application/json; charset=utf-8",
        recordJson(reportOf(reports.current(canonical(id)), id)),
      );
    case "recipe.yaml":
      return send(response, "text/yaml; charset=utf-8", recipeFile(reportOf(reports.current(canonical(id)), id)));
    default:
      return missing(response);
  }
}

/** As it was started, with every default: to be changed and started again. */
function recipeFile({ title, recipe }: Report): string {
  return experimentFileText(create(StartExperimentRequestSchema, { experimentId: title, ...(recipe && { recipe }) }));
}

/** `/api/experiments/{id}`, and below it `curves` and `sections`. */
async function experimentData(response: ServerResponse, url: URL, dependencies: PageDependencies): Promise<void> {
  const [id = "", what, ...rest] = url.pathname.slice("/api/experiments/".length).split("/");
  const experiment = canonical(id);
  if (rest.length > 0) return missing(response);
  if (what === "curves") return sendJson(response, await curveColumns(dependencies, experiment, url.searchParams));
  const { ledger, reports } = dependencies;
  const report = reportOf(
    hasEnded(ledger, experiment) ? reports.current(experiment) : reports.recent(experiment),
    experiment,
  );
  if (what === "sections") return sections(response, url, report);
  if (what !== undefined) return missing(response);
  json(response, { overview: overview(ledger, reports, experiment), detail: detail(report) });
}

/** Sections of the record, byte for byte as in its document: what the page shows while a run goes on is what it leaves. */
function sections(response: ServerResponse, { searchParams }: URL, report: Report): void {
  const language = languageNamed(searchParams.get("language"));
  const ids = searchParams.get("ids")?.split(",");
  send(response, "text/html; charset=utf-8", recordSectionsHtml(report, language, ids));
}

function optionalId({ searchParams }: URL): string | undefined {
  const written = searchParams.get("experiment");
  return written === null ? undefined : canonical(written);
}

function canonical(written: string): string {
  return experimentId(written, "experiment");
}

function reportOf(report: Report | undefined, id: string): Report {
  if (report === undefined) throw unknownExperiment(canonical(id));
  return report;
}

function json(response: ServerResponse, value: unknown): void {
  sendJson(response, JSON.stringify(value));
}
