/** trainer: takes experiments in, tells what has become of them, and keeps a worker running while there is work. */
import { pathToFileURL } from "node:url";
import { openAccess } from "@pretrain/access";
import { expectWritable, openBlobs } from "@pretrain/blobs";
import { environmentOfWorker } from "@pretrain/config";
import { Unavailable } from "@pretrain/errors";
import { standingBroker, trainingWork } from "@pretrain/events";
import { Leases } from "@pretrain/leases";
import { createLog, createMetrics, exitOnFatalError, serveHttp, tellDisks, waitFor } from "@pretrain/observability";
import { DataShardService, ExperimentRecordSchema, LeaseSchema } from "@pretrain/proto";
import { connectClient, serveGrpc } from "@pretrain/rpc";
import { openTls } from "@pretrain/tls";
import { startTracing } from "@pretrain/tracing";
import { superviseWorker, terminationSignal } from "@pretrain/worker-process";
import { startComputing } from "./attempt/computing-process.ts";
import { leftoverEvents } from "./attempt/leftover-events.ts";
import { batchStream, programsFolder, spoolFolder, trainerConfig } from "./config.ts";
import { experimentFacts } from "./experiment/experiment-facts.ts";
import { Turns } from "./explanation/turns.ts";
import { trainerMethods } from "./methods.ts";
import { tellTrainer } from "./metrics.ts";
import { followEvaluations } from "./retention/follow-evaluations.ts";
import { Experiments } from "./stores/experiments.ts";
import { keepResuming } from "./stores/keep-resuming.ts";
import { keepSweeping } from "./stores/keep-sweeping.ts";
import { hasRoom } from "./stores/probe-room.ts";
import { RecordCopies } from "./stores/record-copies.ts";

/** What a worker's spool needs to go on: the events of some steps. */
const spoolRoomBytes = 1024 * 1024;

/** How long a caller may take nothing of an answer. */
const readPatienceMs = 30_000;

/** How many callers may wait while a step is explained to another. */
const explanationsWaiting = 4;
const draining = () =>
  new Unavailable("DRAINING", "the service is being stopped; ask again, another instance will answer");

exitOnFatalError(createLog("trainer"));
const config = trainerConfig(process.env); // reports every bad variable at once, before anything is opened
const log = createLog("trainer", config.logLevel);
const metrics = createMetrics("trainer");
tellDisks(metrics, { state: config.state, store: config.blobs });
const now = () => new Date();
const blobs = openBlobs(config.blobs);

await using opened = new AsyncDisposableStack(); // closes in reverse order, also when a line below throws
opened.use(await startTracing("trainer", process.env));
const tls = opened.use(config.tls === undefined ? undefined : openTls(config.tls, { log }));
const access = opened.use(config.access === undefined ? undefined : await openAccess(config.access, { log }));
await waitFor(`the store ${config.blobs}`, () => expectWritable(blobs, "trainer"), log);
const ackWaitMs = Object.fromEntries(trainingWork.map(({ queue }) => [queue, config.leaseTtlMs]));
const broker = opened.use(
  await standingBroker({ url: config.nats, name: "trainer", tls, log, ackWaitMs, replicas: config.natsReplicas }),
);
const hasWorker = config.workers === "own"; // else its folder is on another machine, and not ours to look at
tellTrainer(metrics, { broker, spool: hasWorker ? spoolFolder(config) : undefined });
const copies = new RecordCopies(blobs, log);
const experiments = new Experiments(
  await broker.records("pretrain_experiments", ExperimentRecordSchema),
  broker,
  copies,
);
const index = opened.use(broker.recordIndex("pretrain_experiments", ExperimentRecordSchema, experimentFacts));
const hasWork = async () => (await Promise.all(trainingWork.map((kind) => broker.hasWork(kind)))).includes(true);
const leases = new Leases(await broker.expiringRecords("pretrain_leases", LeaseSchema), config.leaseTtlMs, log);
const isLeased = (id: string) => leases.isHeld(id);
const hasLeftovers = leftoverEvents(spoolFolder(config));
const supervised = () =>
  superviseWorker({
    module: new URL("./worker-main.ts", import.meta.url),
    environment: environmentOfWorker(process.env, config),
    hasWork: async () => hasLeftovers() || (await hasWork()),
    graceMs: config.graceMs,
    log,
  });
const worker = opened.use(hasWorker ? supervised() : undefined);
opened.use(keepSweeping({ experiments, index, copies, blobs, hasWork, isLeased, now, log, metrics }));
opened.use(await followEvaluations({ broker, experiments, blobs, now, log }));
const wake = () => worker?.wake();
const folderOfWorker = openBlobs(pathToFileURL(config.state).href);
const isRoomFor = async (id: string, bytes: number) =>
  (await hasRoom(blobs, `experiments/${id}/probe`, bytes)) &&
  (!hasWorker || (await hasRoom(folderOfWorker, "probe", spoolRoomBytes)));
opened.use(keepResuming({ experiments, index, isRoomFor, now, wake, log }));
const explanations = new Turns(explanationsWaiting);
const explaining = {
  explanations,
  broker,
  blobsAddress: config.blobs,
  programsFolder: programsFolder(config),
  dataShard: opened.use(connectClient(DataShardService, config.dataShard, { ...batchStream, tls })),
  startComputing: () => startComputing(process.env, { niceness: config.explanationNiceness }),
};
const methods = trainerMethods({ experiments, index, blobs, now, log, wake, ...explaining });
const grpc = opened.use(
  await serveGrpc({
    address: config.grpc,
    services: [methods],
    tls,
    access,
    healthAddress: config.health,
    readPatienceMs,
    log,
    metrics,
  }),
);
opened.defer(() => explanations.close(draining())); // before calls are waited for: they would take minutes
const ready = () => experiments.isReachable();
const http = opened.use(await serveHttp({ address: config.http, metrics, ready, tls, log }));
log.info({ grpc: grpc.address, http: http.address }, "serving");
log.info({ signal: await terminationSignal() }, "draining");
