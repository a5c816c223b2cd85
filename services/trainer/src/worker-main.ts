/** The trainer's worker: one experiment after the other, each with a process that computes. Ends when there is no more work. */
import { openBlobs } from "@pretrain/blobs";
import { messageOf } from "@pretrain/errors";
import { connectBroker, trainingWork } from "@pretrain/events";
import { Leases } from "@pretrain/leases";
import { createLog, exitOnFatalError } from "@pretrain/observability";
import { DataShardService, ExperimentRecordSchema, LeaseSchema, type TrainWork } from "@pretrain/proto";
import { idOfExperimentName } from "@pretrain/recipe";
import { connectClient } from "@pretrain/rpc";
import { openSpool } from "@pretrain/spool";
import { openTls } from "@pretrain/tls";
import { startTracing } from "@pretrain/tracing";
import { gpuFault, steadyNow, terminationSignal, workerExit } from "@pretrain/worker-process";
import { ComputingProcesses } from "./attempt/computing-processes.ts";
import { Outbox } from "./attempt/outbox.ts";
import { runAttempt } from "./attempt/run-attempt.ts";
import type { WorkerDependencies } from "./attempt/worker-dependencies.ts";
import { batchStream, programsFolder, spoolFolder, trainerConfig } from "./config.ts";
import { needsWork } from "./experiment/lifecycle.ts";
import { experimentOf } from "./experiment/record.ts";
import { Experiments } from "./stores/experiments.ts";
import { RecordCopies } from "./stores/record-copies.ts";

/** Some 60,000 steps; then training waits for the broker after all. */
const spoolLimitBytes = 64 * 1024 * 1024;
const lastEventsMs = 5_000;
const retryMs = 5_000;

exitOnFatalError(createLog("trainer-worker"));
const config = trainerConfig(process.env);
const log = createLog("trainer-worker", config.logLevel);
const shutdown = new AbortController();
void terminationSignal().then((signal) => {
  log.info({ signal }, "draining");
  shutdown.abort();
});

let exitCode: number = workerExit.done;
/** What it was to compute on is not there or not free: it ends, and says so to whoever started it. */
const leaveToOthers = (reason: string) => {
  log.error({ reason }, "this worker cannot compute here and takes no more work");
  exitCode = workerExit.deviceMissing;
  shutdown.abort();
};

await takeWork();
process.exit(exitCode); // waiting for a signal would keep it alive, and nobody would be started for the next experiment

async function takeWork(): Promise<void> {
  await using opened = new AsyncDisposableStack();
  opened.use(await startTracing("trainer-worker", process.env));
  if (!(await isDeviceFree())) return;
  const tls = opened.use(config.tls === undefined ? undefined : openTls(config.tls, { log }));
  const computing = opened.use(new ComputingProcesses(process.env)); // first: loading TensorFlow takes longest
  const broker = opened.use(await connectBroker({ url: config.nats, name: "trainer-worker", tls, log }));
  const spool = openSpool(spoolFolder(config), { limitBytes: spoolLimitBytes });
  for (const { sizeBytes } of spool.losses)
    log.error({ sizeBytes }, "events in the spool were cut by a crash or damaged; they are left out");
  const outbox = new Outbox(spool, broker, log);
  opened.defer(() => outbox.close(lastEventsMs));
  const dataShard = opened.use(connectClient(DataShardService, config.dataShard, { ...batchStream, tls }));
  const leases = new Leases(await broker.expiringRecords("pretrain_leases", LeaseSchema), config.leaseTtlMs, log);
  const blobs = openBlobs(config.blobs);
  const dependencies: WorkerDependencies = {
    leases,
    worker: config.worker ?? `process ${process.pid}`,
    device: { wanted: config.device, onMissing: leaveToOthers },
    computing,
    graceMs: config.graceMs,
    experiments: new Experiments(
      await broker.records("pretrain_experiments", ExperimentRecordSchema),
      broker,
      new RecordCopies(blobs, log),
    ),
    dataShard,
    outbox,
    isStateKept: config.stateKept === "yes",
    log,
    blobs,
    blobsAddress: config.blobs,
    programsFolder: programsFolder(config),
    now: steadyNow,
  };
  const isDue = async ({ experiment }: TrainWork) => {
    const id = idOfExperimentName(experiment);
    const found = await dependencies.experiments.find(id);
    return found !== undefined && needsWork(experimentOf(found.value).state) && !(await leases.isHeld(id));
  };
  const options = { signal: shutdown.signal, idleMs: config.workerIdleMs, isDue };
  for await (const piece of broker.takeWork(trainingWork, options)) {
    try {
      await runAttempt(piece, dependencies, shutdown.signal);
    } catch (error) {
      log.error({ err: error, reason: messageOf(error) }, "a piece of work is handed back");
      piece.again(retryMs);
    }
    if (outbox.isUnusable) throw new Error("the disk of the spool failed; the next worker begins with a new file");
  }
  log.info("no more work");
}

/** Asked before anything is taken, and before this worker's own process has memory on it. */
async function isDeviceFree(): Promise<boolean> {
  if (config.device === "cpu") return true;
  const fault = await gpuFault({ freePercent: config.gpuFreePercent, environment: process.env });
  if (fault !== undefined) leaveToOthers(fault);
  return fault === undefined;
}
