import type { IncomingMessage, ServerResponse } from "node:http";
import { FailedPrecondition } from "@pretrain/errors";
import type { FuzzTarget } from "@pretrain/testing";
import { CurrentReports } from "../reports/current-reports.ts";
import { ledgerOf } from "../test-support/ledger-of.ts";
import { runEvents } from "../test-support/run-events.ts";
import { runShape } from "../test-support/run-shape.ts";
import { comparisonRoutes } from "./comparison-routes.ts";
import { LiveStreams, livePace } from "./live-streams.ts";
import { pageFiles } from "./page-files.ts";
import { pageRoutes } from "./page-routes.ts";

const ledger = ledgerOf(runEvents(runShape({ stepsPerEpoch: 4, saveInterval: 4 })));
const reports = new CurrentReports(ledger, () => 0);
const live = new LiveStreams({ ledger, reports, ...livePace });
const routes = [
  ...pageRoutes({ ledger, reports, live, files: pageFiles() }),
  ...comparisonRoutes({ reports, paired: { between: () => Promise.resolve(undefined) } }),
].filter(({ path }) => path !== "/api/live"); // a stream, which does not end
const origin = "http://127.0.0.1";

/** The path and query of a request, as the page asks. */
export default {
  seeds: () =>
    [
      "/api/experiments/1.4.0/curves?metric=train/loss&metric=eval/loss&from=0&to=10&points=100&smoothing=0.5",
      "/api/experiments/1-4-0/sections?ids=verdict,curves&language=zh",
      "/api/comparison?ids=1-4-0,1-4-1&language=en",
      "/experiments/1-4-0/recipe.yaml",
      "/assets/page.js",
      "/api/experiments",
    ].map((address) => new TextEncoder().encode(address)),
  dictionary: [
    "%2e%2e%2f",
    "..",
    "%00",
    "%ff",
    "?",
    "&",
    "=",
    "#",
    "metric=",
    "points=",
    "ids=",
    "smoothing=",
    "NaN",
    "1e9",
  ],
  async take(bytes) {
    const address = origin + new TextDecoder("latin1").decode(bytes);
    if (!URL.canParse(address)) throw refused(400); // as the server does
    const url = new URL(address);
    const route = routes
      .filter(({ path }) => (path.endsWith("/") ? url.pathname.startsWith(path) : url.pathname === path))
      .at(-1);
    const answer = { status: 404 };
    await route?.handle({ method: "GET", headers: {} } as IncomingMessage, responseTo(answer), url);
    if (answer.status >= 500) throw new Error(`answered ${answer.status}`);
    if (answer.status >= 400) throw refused(answer.status);
  },
} satisfies FuzzTarget;

function refused(status: number): FailedPrecondition {
  return new FailedPrecondition("REFUSED", `answered ${status}`);
}

/** As much of an answer as the page's handlers use. */
function responseTo(answer: { status: number }): ServerResponse {
  const response = {
    setHeader: () => response,
    writeHead(status: number) {
      answer.status = status;
      return response;
    },
    end: () => response,
  };
  return response as unknown as ServerResponse;
}
