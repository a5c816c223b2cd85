/** report: keeps the ledger of all events, writes the record of each experiment from it, and shows it while it runs. */
import { join } from "node:path";
import { openAccess } from "@pretrain/access";
import { expectWritable, openBlobs } from "@pretrain/blobs";
import { events, standingBroker } from "@pretrain/events";
import { createLog, createMetrics, exitOnFatalError, serveHttp, tellDisks, waitFor } from "@pretrain/observability";
import { type Annotation, ReportService, type ReportWritten } from "@pretrain/proto";
import { idOfExperimentName } from "@pretrain/recipe";
import { connectClient, serveGrpc } from "@pretrain/rpc";
import { openTls } from "@pretrain/tls";
import { startTracing, tellExperiment } from "@pretrain/tracing";
import { terminationSignal } from "@pretrain/worker-process";
import { PairedDifferences } from "./comparison/paired-differences.ts";
import { reportConfig } from "./config.ts";
import { ingestEvents } from "./ingest/ingest-events.ts";
import { ChangesSignal } from "./ledger/changes-signal.ts";
import { keepCopying, restoreLedger } from "./ledger/ledger-copies.ts";
import { openSoundLedger } from "./ledger/sound-ledger.ts";
import { reportMethods } from "./methods.ts";
import { ingestMetrics, tellLedger } from "./monitoring/report-metrics.ts";
import { loginRoutes } from "./page/access/login-routes.ts";
import { headersOf, pageGuard } from "./page/access/page-access.ts";
import { openSessionKey } from "./page/access/session-key.ts";
import { actionRoutes } from "./page/actions/action-routes.ts";
import { peerActions } from "./page/actions/peer-actions.ts";
import { recipeChecks } from "./page/actions/recipe-checks.ts";
import { recordActions } from "./page/actions/record-actions.ts";
import { comparisonRoutes } from "./page/comparison-routes.ts";
import { LiveStreams, livePace } from "./page/live-streams.ts";
import { pageFiles } from "./page/page-files.ts";
import { pageRoutes } from "./page/page-routes.ts";
import { connectPeers, ownAddress } from "./peers.ts";
import { experimentEnd } from "./publishing/experiment-end.ts";
import { RecordPublisher } from "./publishing/record-publisher.ts";
import { CurrentReports } from "./reports/current-reports.ts";

/** Longer than the broker waits before it delivers again what a killed process had taken. */
const quietMs = 20_000;

/** The last lines of an attempt's log and its last profile come by another stream than its end. */
const settleMs = 2_000;

/** How long a caller may take nothing of an answer. */
const readPatienceMs = 30_000;
/** How long the broker and the ledger may take to have an annotation. */
const annotateWithinMs = 10_000;
/** Between two messages to those who watch metrics. */
const helpingMs = 100;

exitOnFatalError(createLog("report"));
const config = reportConfig(process.env); // reports every bad variable at once, before anything is opened
const log = createLog("report", config.logLevel);
const metrics = createMetrics("report");
tellDisks(metrics, { state: config.state, store: config.blobs });

await using opened = new AsyncDisposableStack(); // closes in reverse order, also when a line below throws
opened.use(await startTracing("report", process.env));
const tls = opened.use(config.tls === undefined ? undefined : openTls(config.tls, { log }));
const access = opened.use(config.access === undefined ? undefined : await openAccess(config.access, { log }));
const blobs = openBlobs(config.blobs);
await waitFor(`the store ${config.blobs}`, () => expectWritable(blobs, "report"), log);
const path = join(config.state, "ledger.sqlite");
const restored = await restoreLedger(path, blobs);
if (restored !== undefined) log.warn({ blob: restored }, "there was no ledger: it begins with its copy in the store");
const { ledger, setAside } = openSoundLedger(path);
opened.use(ledger);
if (setAside !== undefined)
  log.error(setAside, "the ledger was damaged: set aside, and built again from what it still held");
const broker = opened.use(await standingBroker({ url: config.nats, name: "report", tls, log }));
const reports = new CurrentReports(ledger, () => performance.now());
const live = opened.use(new LiveStreams({ ledger, reports, ...livePace }));
const announce = async (written: ReportWritten) => {
  await broker.publish(events.report, written);
  const report = reports.current(idOfExperimentName(written.experiment));
  const end = report && experimentEnd(report);
  if (end !== undefined) tellExperiment(end);
};
const publisher = opened.use(
  new RecordPublisher({
    ledger,
    reports,
    blobs,
    announce,
    log,
    now: () => new Date(),
    nowMs: () => performance.now(),
    settleMs,
    quietMs,
  }),
);
const changes = opened.use(new ChangesSignal(helpingMs));
const onChange = (experiments: ReadonlySet<string>) => {
  reports.changed(experiments);
  changes.changed();
  live.changed();
  publisher.changed(experiments);
};
const onTaken = ingestMetrics(metrics);
const ingestion = opened.use(await ingestEvents({ broker, ledger, blobs, log, onTaken, onChange }));
tellLedger(metrics, ledger, ingestion);
const everyMs = config.ledgerCopySeconds * 1000;
opened.use(await keepCopying({ ledger, path, blobs, everyMs, now: () => new Date(), log, metrics }));
publisher.start();
const settled = (experiment: string) => publisher.settled(experiment, quietMs + settleMs);
const peers = opened.use(connectPeers(config, tls));
const paired = new PairedDifferences(peers.evaluator, log);
const annotate = (annotation: Annotation) => broker.publish(events.annotation, annotation);
const annotating = { annotate, annotateWithinMs, now: () => new Date() };
const grpc = opened.use(
  await serveGrpc({
    address: config.grpc,
    tls,
    access,
    healthAddress: config.health,
    services: [
      reportMethods({
        ledger,
        reports,
        blobs,
        settled,
        changes,
        ...annotating,
        paired,
      }),
    ],
    readPatienceMs,
    log,
    metrics,
  }),
);
const own = opened.use(connectClient(ReportService, ownAddress(grpc.address), { tls }));
const files = pageFiles();
const pageAccess = access && { access, sessionKey: await openSessionKey(config.state), now: () => new Date() };
const actions = { ...recipeChecks(reports), ...peerActions(peers, ledger), ...recordActions(own) };
const routes = [
  ...pageRoutes({ ledger, reports, live, files }),
  ...comparisonRoutes({ reports, paired }),
  ...actionRoutes(actions, (request, url) => headersOf(pageAccess, request, url), log),
  ...loginRoutes(pageAccess, files, log),
];
const guard = pageAccess && pageGuard(pageAccess);
const ready = () => ingestion.isHealthy();
const { http: address, publicNames } = config;
const http = opened.use(await serveHttp({ address, metrics, ready, routes, guard, tls, publicNames, log }));
log.info({ grpc: grpc.address, http: http.address, ledger: ledger.id }, "serving");
log.info({ signal: await terminationSignal() }, "draining");
