/** Test support: the page over a ledger in memory, without a broker. */
import { createLog, createMetrics, serveHttp } from "@pretrain/observability";
import { ReportService } from "@pretrain/proto";
import { connectClient } from "@pretrain/rpc";
import { EventWriter } from "../ledger/event-writer.ts";
import type { LedgerEvent } from "../ledger/ledger-event.ts";
import { openLedger } from "../ledger/open-ledger.ts";
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
  ...pace
}: Partial<
  LivePace & { readonly address: string; readonly trainer: string; readonly evaluator: string; readonly report: string }
> = {}): Promise<PageServer> {
  const ledger = openLedger(":memory:");
  const writer = new EventWriter(ledger);
  const reports = new CurrentReports(ledger, () => performance.now());
  const live = new LiveStreams({ ledger, reports, ...livePace, ...pace });
  const log = createLog("report-page", "warn");
  const peers = connectPeers({ trainer, evaluator });
  const own = connectClient(ReportService, report);
  const actions = { ...recipeChecks(reports), ...peerActions(peers, ledger), ...recordActions(own) };
  const routes = [
    ...pageRoutes({ ledger, reports, live, files: pageFiles() }),
    ...comparisonRoutes({ reports, paired: { between: () => Promise.resolve(undefined) } }),
    ...actionRoutes(actions, log),
  ];
  const http = await serveHttp({ address, metrics: createMetrics("report-page"), ready: () => true, routes, log });
  return {
    origin: `http://${http.address}`,
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
