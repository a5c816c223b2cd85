/** The evaluator: measures every checkpoint that is announced, and generates text. This process answers; others compute. */
import { openAccess } from "@pretrain/access";
import { expectWritable, openBlobs } from "@pretrain/blobs";
import { environmentOfWorker } from "@pretrain/config";
import { standingBroker, tellWorkload, work } from "@pretrain/events";
import { createLog, createMetrics, exitOnFatalError, serveHttp, tellDisks, waitFor } from "@pretrain/observability";
import { DataShardService, EvaluationRecordSchema } from "@pretrain/proto";
import { connectClient, serveGrpc } from "@pretrain/rpc";
import { openTls } from "@pretrain/tls";
import { startTracing } from "@pretrain/tracing";
import { superviseWorker, terminationSignal } from "@pretrain/worker-process";
import { computingOnDemand } from "./computing/computing-on-demand.ts";
import { startComputing } from "./computing/computing-process.ts";
import { computingPlaces, readServiceConfig } from "./config.ts";
import { checkpointWritten } from "./handlers/checkpoint-written.ts";
import { experimentEnded } from "./handlers/experiment-ended.ts";
import { evaluatorService } from "./methods.ts";
import { evaluationMetrics } from "./metrics.ts";
import { sweepAbandonedExports } from "./stores/kept-exports.ts";
import { sweepRecords } from "./stores/sweep.ts";

exitOnFatalError(createLog("evaluator"));
const config = readServiceConfig(process.env); // reports every bad variable at once, before anything is opened
const log = createLog("evaluator", config.logLevel);
const metrics = createMetrics("evaluator");
tellDisks(metrics, { state: config.state, store: config.blobs });
const blobs = openBlobs(config.blobs);
const now = () => new Date();

await using opened = new AsyncDisposableStack(); // closes in reverse order, also when a line below throws
opened.use(await startTracing("evaluator", process.env));
const tls = opened.use(config.tls === undefined ? undefined : openTls(config.tls, { log }));
const access = opened.use(config.access === undefined ? undefined : await openAccess(config.access, { log }));
await waitFor(`the store ${config.blobs}`, () => expectWritable(blobs, "evaluator"), log);
const broker = opened.use(await standingBroker({ url: config.nats, name: "evaluator", tls, log }));
const records = await broker.records("pretrain_evaluations", EvaluationRecordSchema);
const dataShard = opened.use(connectClient(DataShardService, config.dataShard, { streamSilenceMs: 120_000, tls }));

const hasWork = () => broker.hasWork(work.evaluate);
const module = new URL("./attempt/main.ts", import.meta.url);
const environment = environmentOfWorker(process.env, config);
const supervised = () => superviseWorker({ module, environment, hasWork, graceMs: 10_000, log });
const worker = opened.use(config.workers === "own" ? supervised() : undefined);
const wake = () => worker?.wake();
const { onSwept, onCanaryFailed } = evaluationMetrics(metrics);
tellWorkload(metrics, broker, [work.evaluate]);
opened.use(sweepRecords({ records, broker, everyMs: 30_000, onSwept, log }));

const abandonedExports = await sweepAbandonedExports(blobs, now());
if (abandonedExports > 0) log.info({ exports: abandonedExports }, "cleared away what ended exports had left");

const start = () => startComputing(computingPlaces(config));
const computing = opened.use(computingOnDemand({ start, idleMs: 60_000, log }));
const dependencies = { records, broker, blobs, dataShard, computing, wake, onCanaryFailed, now, log };
const announced = checkpointWritten(dependencies);
const ended = experimentEnded(dependencies);
opened.use(
  await broker.consume("PRETRAIN_EVENTS", { durable: "evaluator", batch: 16 }, async (batch) => {
    for (const event of batch) {
      if (event.kind === "checkpoint") await announced(event.message);
      if (event.kind === "state") await ended(event.message);
    }
  }),
);
const services = [evaluatorService(dependencies)];
const grpc = opened.use(
  await serveGrpc({ address: config.grpc, services, tls, access, healthAddress: config.health, log, metrics }),
);
const ready = () =>
  hasWork().then(
    () => true, // whatever it is, the broker has answered
    () => false,
  );
const http = opened.use(await serveHttp({ address: config.http, metrics, ready, tls, log }));
log.info({ grpc: grpc.address, http: http.address }, "serving");
log.info({ signal: await terminationSignal() }, "draining");
