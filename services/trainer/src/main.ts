/** trainer: takes experiments in, tells what has become of them, and keeps a worker running while there is work. */
import { pathToFileURL } from "node:url";
import { expectWritable, openBlobs } from "@pretrain/blobs";
import { standingBroker, trainingWork } from "@pretrain/events";
import { Leases } from "@pretrain/leases";
import { createLog, createMetrics, exitOnFatalError, serveHttp, waitFor } from "@pretrain/observability";
import { ExperimentRecordSchema, LeaseSchema } from "@pretrain/proto";
import { serveGrpc } from "@pretrain/rpc";
import { startTracing } from "@pretrain/tracing";
import { superviseWorker, terminationSignal } from "@pretrain/worker-process";
import { leftoverEvents } from "./attempt/leftover-events.ts";
import { spoolFolder, trainerConfig } from "./config.ts";
import { experimentFacts } from "./experiment/experiment-facts.ts";
import { trainerMethods } from "./methods.ts";
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

exitOnFatalError(createLog("trainer"));
const config = trainerConfig(process.env); // reports every bad variable at once, before anything is opened
const log = createLog("trainer", config.logLevel);
const metrics = createMetrics("trainer");
const now = () => new Date();
const blobs = openBlobs(config.blobs);

await using opened = new AsyncDisposableStack(); // closes in reverse order, also when a line below throws
opened.use(await startTracing("trainer", process.env));
await waitFor(`the store ${config.blobs}`, () => expectWritable(blobs, "trainer"), log);
const ackWaitMs = Object.fromEntries(trainingWork.map(({ queue }) => [queue, config.leaseTtlMs]));
const broker = opened.use(await standingBroker({ url: config.nats, name: "trainer", log, ackWaitMs }));
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
const worker = opened.use(
  superviseWorker({
    module: new URL("./worker-main.ts", import.meta.url),
    environment: process.env,
    hasWork: async () => hasLeftovers() || (await hasWork()),
    graceMs: config.graceMs,
    log,
  }),
);
opened.use(keepSweeping({ experiments, index, copies, blobs, hasWork, isLeased, now, log, metrics }));
opened.use(await followEvaluations({ broker, experiments, blobs, now, log }));
const wake = () => worker.wake();
const folderOfWorker = openBlobs(pathToFileURL(config.state).href);
const isRoomFor = async (id: string, bytes: number) =>
  (await hasRoom(blobs, `experiments/${id}/probe`, bytes)) && (await hasRoom(folderOfWorker, "probe", spoolRoomBytes));
opened.use(keepResuming({ experiments, index, isRoomFor, now, wake, log }));
const methods = trainerMethods({ experiments, index, blobs, now, log, wake });
const grpc = opened.use(await serveGrpc({ address: config.grpc, services: [methods], readPatienceMs, log, metrics }));
const ready = () => experiments.isReachable();
const http = opened.use(await serveHttp({ address: config.http, metrics, ready, log }));
log.info({ grpc: grpc.address, http: http.address }, "serving");
log.info({ signal: await terminationSignal() }, "draining");
