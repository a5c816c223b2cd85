/** The files of the page: ours from `services/report/page`, the chart library's from its package. Read once, at the start. */
import { readdirSync, readFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { recordStyle } from "../rendering/html/record-style.ts";
import { missing, send } from "./answering.ts";

export interface PageFile {
  readonly mediaType: string;
  readonly content: Buffer;
}

const mediaTypes: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** Own scripts and styles, no inline ones; nothing from elsewhere; in no frame. */
const pagePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** By the name under which the page asks for them, such as `charts/charts.js`. */
export function pageFiles(): ReadonlyMap<string, PageFile> {
  const folder = join(import.meta.dirname, "../../page");
  const own = readdirSync(folder, { recursive: true, encoding: "utf8" }).map(
    (name) => [name, join(folder, name)] as const,
  );
  const uplot = dirname(fileURLToPath(import.meta.resolve("uplot")));
  const others = [
    ["uplot.js", join(uplot, "uPlot.esm.js")],
    ["uplot.css", join(uplot, "uPlot.min.css")],
  ] as const;
  return new Map([...[...own, ...others].flatMap(([name, path]) => fileAt(name, path)), ["record.css", recordCss]]);
}

export function sendFile(response: ServerResponse, files: ReadonlyMap<string, PageFile>, name: string): void {
  const found = files.get(name);
  if (found === undefined) return missing(response);
  response.setHeader("Content-Security-Policy", pagePolicy);
  send(response, found.mediaType, found.content);
}

/** The record's own style, for its sections within the page: rules for the whole document find nothing there. */
const recordCss: PageFile = {
  mediaType: "text/css; charset=utf-8",
  content: Buffer.from(`.record-sections {${recordStyle}}\n`),
};

/** Nothing for a file of a kind that a browser is not meant to get, such as the type check's settings. */
function fileAt(name: string, path: string): (readonly [string, PageFile])[] {
  const mediaType = mediaTypes[extname(name)];
  return mediaType === undefined ? [] : [[name, { mediaType, content: readFileSync(path) }]];
}
