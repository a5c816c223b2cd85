/** The worker: takes one evaluation after the other from the queue, and ends when there has been none for a while. */
import { openBlobs } from "@pretrain/blobs";
import { Unavailable } from "@pretrain/errors";
import { connectBroker, ensureTopology } from "@pretrain/events";
import { createLog, exitOnFatalError } from "@pretrain/observability";
import { DataShardService, type Evaluation, EvaluationRecordSchema } from "@pretrain/proto";
import { idOfExperimentName } from "@pretrain/recipe";
import { connectClient } from "@pretrain/rpc";
import { openTls } from "@pretrain/tls";
import { inExperiment, startTracing } from "@pretrain/tracing";
import { gpuFault, terminationSignal, workerExit } from "@pretrain/worker-process";
import { computingOnDemand } from "../computing/computing-on-demand.ts";
import { startComputing } from "../computing/computing-process.ts";
import { computingPlaces, readWorkerConfig } from "../config.ts";
import { carryOut } from "./carry-out.ts";
import { measure } from "./measure.ts";
import { takeEvaluations } from "./take-evaluations.ts";

/** A model stays loaded for the next piece at least so long, also where the worker ends as soon as there is none. */
const keptLoadedMs = 20_000;

exitOnFatalError(createLog("evaluator-worker"));
const config = readWorkerConfig(process.env);
const log = createLog("evaluator-worker", config.logLevel);
const stopping = new AbortController();
void terminationSignal().then((signal) => {
  log.info({ signal }, "stopping");
  stopping.abort();
});
let exitCode: number = workerExit.done;
/** What it was to compute on is not there or not free: it ends, and says so to whoever started it. */
const leaveToOthers = (reason: string) => {
  log.error({ reason }, "this worker cannot compute here and takes no more work");
  exitCode = workerExit.deviceMissing;
  stopping.abort();
};
await workUntilIdle();
process.exit(exitCode); // the channel to the process that started this one would keep it alive

async function workUntilIdle(): Promise<void> {
  await using opened = new AsyncDisposableStack(); // closes in reverse order, also when a line below throws
  opened.use(await startTracing("evaluator-worker", process.env));
  if (!(await isDeviceFree())) return;
  const tls = opened.use(config.tls === undefined ? undefined : openTls(config.tls, { log }));
  const broker = opened.use(await connectBroker({ url: config.nats, name: "evaluator-worker", tls, log }));
  await ensureTopology(broker);
  const records = await broker.records("pretrain_evaluations", EvaluationRecordSchema);
  const dataShard = opened.use(connectClient(DataShardService, config.dataShard, { streamSilenceMs: 120_000, tls }));
  const start = () => startComputing({ ...computingPlaces(config), share: config }); // a trainer may be computing beside it
  const computing = opened.use(computingOnDemand({ start, idleMs: Math.max(keptLoadedMs, config.idleMs), log }));
  const instruments = { blobs: openBlobs(config.blobs), dataShard, expectDevice };

  const measureOne = async (evaluation: Evaluation, signal: AbortSignal) => {
    signal.throwIfAborted();
    using process = await computing.borrow();
    // A computation cannot be interrupted: whoever may not wait for its end ends the process.
    const end = () => void computing[Symbol.asyncDispose]();
    signal.addEventListener("abort", end, { once: true });
    try {
      const means = { ...instruments, ask: process.ask };
      const { name, checkpoint } = evaluation;
      const told = { "pretrain.evaluation": name, "pretrain.checkpoint": checkpoint };
      const experiment = idOfExperimentName(checkpoint.replace(/\/checkpoints\/\d+$/, ""));
      return await inExperiment(experiment, "evaluate", told, () => measure(means, evaluation, signal));
    } finally {
      signal.removeEventListener("abort", end);
    }
  };
  const means = { records, broker, blobs: instruments.blobs, measure: measureOne, now: () => new Date(), log };
  await takeEvaluations({
    broker,
    carryOut: (id, deliveries, signal) => carryOut(means, id, deliveries, signal),
    idleMs: config.idleMs,
    stopping: stopping.signal,
    log,
  });
}

/** Asked before anything is taken, and before this worker's own process has memory on it. */
async function isDeviceFree(): Promise<boolean> {
  if (config.device === "cpu") return true;
  const fault = await gpuFault({ freePercent: config.gpuFreePercent, environment: process.env });
  if (fault !== undefined) leaveToOthers(fault);
  return fault === undefined;
}

function expectDevice(device: "cpu" | "gpu"): void {
  if (config.device === "cpu" || device === "gpu") return;
  const reason = "TensorFlow finds no GPU that it can use, and PRETRAIN_TENSORFLOW=gpu promises one";
  leaveToOthers(reason);
  throw new Unavailable("DEVICE_MISSING", `${reason}; another worker goes on`);
}
