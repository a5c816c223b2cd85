/** data-shard: packs texts into sequences of token ids and hands them out in a reproducible order. */
import { openAccess } from "@pretrain/access";
import { expectWritable, openBlobs } from "@pretrain/blobs";
import { standingBroker } from "@pretrain/events";
import { createLog, createMetrics, exitOnFatalError, serveHttp, tellDisks, waitFor } from "@pretrain/observability";
import { DatasetRecordSchema } from "@pretrain/proto";
import { serveGrpc } from "@pretrain/rpc";
import { openTls } from "@pretrain/tls";
import { startTracing } from "@pretrain/tracing";
import { terminationSignal } from "@pretrain/worker-process";
import { DatasetAnalyses } from "./analysis/dataset-analyses.ts";
import { dataShardConfig } from "./config.ts";
import { dataShardMethods } from "./methods.ts";
import { dataShardMetrics } from "./metrics.ts";
import { keepTakingUp } from "./packing/keep-taking-up.ts";
import { PackingQueue } from "./packing/packing-queue.ts";
import { DatasetRecords } from "./stores/dataset-records.ts";
import { ReadyDatasets } from "./stores/ready-datasets.ts";

/** Between two tries to pack what the store has no room for. */
const tryAgainMs = 5_000;

exitOnFatalError(createLog("data-shard"));
const config = dataShardConfig(process.env); // reports every bad variable at once, before anything is opened
const log = createLog("data-shard", config.logLevel);
const blobs = openBlobs(config.blobs);
const metrics = createMetrics("data-shard");
tellDisks(metrics, { store: config.blobs });
const { onBatch, onPacked } = dataShardMetrics(metrics);
const now = () => new Date();

await using opened = new AsyncDisposableStack(); // closes in reverse order, also when a line below throws
opened.use(await startTracing("data-shard", process.env));
const tls = opened.use(config.tls === undefined ? undefined : openTls(config.tls, { log }));
const access = opened.use(config.access === undefined ? undefined : await openAccess(config.access, { log }));
await waitFor(`the store ${config.blobs}`, () => expectWritable(blobs, "data-shard"), log);
const broker = opened.use(await standingBroker({ url: config.nats, name: "data-shard", tls, log }));
const records = new DatasetRecords(await broker.records("pretrain_datasets", DatasetRecordSchema));
const queue = opened.use(new PackingQueue({ ...config, records, log, now, onPacked, tryAgainMs }));
await queue.resume(); // whatever an earlier process left
opened.use(keepTakingUp({ records, queue, log })); // and what another one leaves meanwhile
const enqueue = (name: string) => queue.enqueue(name);
const ready = new ReadyDatasets(records, blobs);
const analyses = new DatasetAnalyses({ ready, blobs, log });
const methods = dataShardMethods({ ...config, records, blobs, ready, analyses, enqueue, onBatch, now });
const grpc = opened.use(
  await serveGrpc({
    address: config.grpc,
    services: [methods],
    tls,
    access,
    healthAddress: config.health,
    log,
    metrics,
  }),
);
opened.use(analyses); // closed before the server, which would wait for callers of a computation
const isReady = () => records.isReachable();
const http = opened.use(await serveHttp({ address: config.http, metrics, ready: isReady, tls, log }));
log.info({ grpc: grpc.address, http: http.address }, "serving");
log.info({ signal: await terminationSignal() }, "draining");
