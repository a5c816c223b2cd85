/** The worker: takes one evaluation after the other from the queue, and ends when there has been none for a while. */
import { openBlobs } from "@pretrain/blobs";
import { connectBroker, ensureTopology } from "@pretrain/events";
import { createLog, exitOnFatalError } from "@pretrain/observability";
import { DataShardService, type Evaluation, EvaluationRecordSchema } from "@pretrain/proto";
import { idOfExperimentName } from "@pretrain/recipe";
import { connectClient } from "@pretrain/rpc";
import { openTls } from "@pretrain/tls";
import { inExperiment, startTracing } from "@pretrain/tracing";
import { terminationSignal } from "@pretrain/worker-process";
import { computingOnDemand } from "../computing/computing-on-demand.ts";
import { startComputing } from "../computing/computing-process.ts";
import { computingPlaces, readWorkerConfig } from "../config.ts";
import { carryOut } from "./carry-out.ts";
import { measure } from "./measure.ts";
import { takeEvaluations } from "./take-evaluations.ts";

exitOnFatalError(createLog("evaluator-worker"));
const config = readWorkerConfig(process.env);
const log = createLog("evaluator-worker", config.logLevel);
const stopping = new AbortController();
void terminationSignal().then((signal) => {
  log.info({ signal }, "stopping");
  stopping.abort();
});
await workUntilIdle();
process.exit(0); // the channel to the process that started this one would keep it alive

async function workUntilIdle(): Promise<void> {
  await using opened = new AsyncDisposableStack(); // closes in reverse order, also when a line below throws
  opened.use(await startTracing("evaluator-worker", process.env));
  const tls = opened.use(config.tls === undefined ? undefined : openTls(config.tls, { log }));
  const broker = opened.use(await connectBroker({ url: config.nats, name: "evaluator-worker", tls, log }));
  await ensureTopology(broker);
  const records = await broker.records("pretrain_evaluations", EvaluationRecordSchema);
  const dataShard = opened.use(connectClient(DataShardService, config.dataShard, { streamSilenceMs: 120_000, tls }));
  const start = () => startComputing({ ...computingPlaces(config), share: config }); // a trainer may be computing beside it
  const computing = opened.use(computingOnDemand({ start, idleMs: config.idleMs, log }));
  const instruments = { blobs: openBlobs(config.blobs), dataShard };

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
