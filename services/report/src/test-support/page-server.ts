/** Test support: the page over a ledger in memory, without a broker. */
import { createLog, createMetrics, serveHttp } from "@pretrain/observability";
import { ReportService } from "@pretrain/proto";
import { connectClient } from "@pretrain/rpc";
import type { Tls } from "@pretrain/tls";
import { EventWriter } from "../ledger/event-writer.ts";
import type { LedgerEvent } from "../ledger/ledger-event.ts";
import { openLedger } from "../ledger/open-ledger.ts";
import { loginRoutes } from "../page/access/login-routes.ts";
import { headersOf, type PageAccess, pageGuard } from "../page/access/page-access.ts";
import { actionRoutes } from "../page/actions/action-routes.ts";
import { peerActions } from "../page/actions/peer-actions.ts";
import { recipeChecks } from "../page/actions/recipe-checks.ts";
import { recordActions } from "../page/actions/record-actions.ts";
import { comparisonRoutes } from "../page/comparison-routes.ts";
import { type LivePace, LiveStreams, livePace } from "../page/live-streams.ts";
import { pageFiles } from "../page/page-files.ts";
import { pageRoutes } from "../page/page-routes.ts";
import { connectPeers } from "../peers.ts";
import { CurrentReports } from "../reports/current-reports.ts";

/** The port of a service that none of ours is: what is asked there is refused at once. */
const nobody = "127.0.0.1:1";

export interface PageServerOptions extends LivePace {
  readonly address: string;
  readonly trainer: string;
  readonly evaluator: string;
  readonly report: string;
  /** Without it everybody may who reaches the page. */
  readonly access: PageAccess;
  readonly tls: Tls;
  /** By which the services that it acts through know it. */
  readonly ownTls: Tls;
  readonly publicNames: readonly string[];
}

export interface PageServer extends AsyncDisposable {
  /** `http://127.0.0.1:port` */
  readonly origin: string;
  /** As if the events had come from the broker. */
  readonly append: (events: readonly LedgerEvent[]) => void;
  /** As if the connection had broken: browsers connect again. */
  readonly cutStreams: () => void;
}

export async function servePage({
  address = "127.0.0.1:0",
  trainer = nobody,
  evaluator = nobody,
  report = nobody,
  access,
  tls,
  ownTls,
  publicNames = [],
  ...pace
}: Partial<PageServerOptions> = {}): Promise<PageServer> {
  const ledger = openLedger(":memory:");
  const writer = new EventWriter(ledger);
  const reports = new CurrentReports(ledger, () => performance.now());
  const live = new LiveStreams({ ledger, reports, ...livePace, ...pace });
  const log = createLog("report-page", "error");
  const peers = connectPeers({ trainer, evaluator }, ownTls);
  const own = connectClient(ReportService, report, { tls: ownTls });
  const actions = { ...recipeChecks(reports), ...peerActions(peers, ledger), ...recordActions(own) };
  const files = pageFiles();
  const guard = access && pageGuard(access);
  const routes = [
    ...pageRoutes({ ledger, reports, live, files }),
    ...comparisonRoutes({ reports, paired: { between: () => Promise.resolve(undefined) } }),
    ...actionRoutes(actions, (request, url) => headersOf(access, request, url), log),
    ...loginRoutes(access, files, log),
  ];
  const metrics = createMetrics("report-page");
  const http = await serveHttp({ address, metrics, ready: () => true, routes, guard, tls, publicNames, log });
  return {
    origin: `${tls === undefined ? "http" : "https"}://${http.address}`,
    append(events) {
      reports.changed(writer.append(events).changed);
      live.changed();
    },
    cutStreams: () => live[Symbol.dispose](),
    async [Symbol.asyncDispose]() {
      live[Symbol.dispose]();
      await http[Symbol.asyncDispose]();
      peers[Symbol.dispose]();
      own[Symbol.dispose]();
      ledger[Symbol.dispose]();
    },
  };
}
