/** The evaluator's process with all it needs: a real broker, a store with a tiny experiment, rows over data-shard's contract. */
import { pathToFileURL } from "node:url";
import { type Broker, connectBroker, type Delivered, ensureTopology } from "@pretrain/events";
import { startNatsServer } from "@pretrain/nats-server";
import { createLog } from "@pretrain/observability";
import type { Evaluation } from "@pretrain/proto";
import { type TestScope, temporaryDirectory, until } from "@pretrain/testing";
import { type RunningEvaluator, startEvaluator } from "./evaluator-process.ts";
import { serveFakeDataShard } from "./fake-data-shard.ts";
import { type TinyExperiment, tinyExperiment } from "./tiny-experiment.ts";

const silent = createLog("test", "fatal");

export interface System {
  readonly experiment: TinyExperiment;
  readonly broker: Broker;
  readonly environment: Readonly<Record<string, string>>;
  readonly evaluator: RunningEvaluator;
  /** The announced end of an evaluation. */
  readonly ended: (name: string) => Promise<Evaluation>;
}

/** @param experimentIn makes the experiment in a store   @param more variables of the evaluator's environment */
export async function startSystem(
  t: TestScope,
  experimentIn = tinyExperiment,
  more: Readonly<Record<string, string>> = {},
): Promise<System> {
  const opened = new AsyncDisposableStack(); // a test's own hooks run in the order in which they were added
  t.after(() => opened.disposeAsync());
  const scope = { after: (cleanUp: () => void | Promise<void>) => opened.defer(cleanUp) };
  const folder = temporaryDirectory(scope);
  const experiment = await experimentIn(pathToFileURL(`${folder}/blobs`).href);
  const nats = opened.use(await startNatsServer({ port: 0, storeDirectory: `${folder}/nats` }));
  const broker = opened.use(await connectBroker({ url: nats.url, name: "test", log: silent }));
  await ensureTopology(broker);
  const dataShard = opened.use(await serveFakeDataShard(experiment));
  const environment = {
    PRETRAIN_NATS_URL: nats.url,
    PRETRAIN_BLOBS: experiment.blobsUrl,
    PRETRAIN_STATE: `${folder}/state`,
    PRETRAIN_DATA_SHARD: dataShard.address,
    PRETRAIN_WORKER_IDLE_MS: "2000",
    ...more,
  };
  const evaluator = await startEvaluator(scope, environment);
  const announced = new Map<string, Evaluation>();
  const options = { durable: "test", filter: "pretrain.events.*.evaluation", batch: 10 };
  const hear = async (batch: readonly Delivered[]) => {
    for (const { kind, message } of batch) {
      if (kind === "evaluation" && message.evaluation) announced.set(message.evaluation.name, message.evaluation);
    }
  };
  opened.use(await broker.consume("PRETRAIN_EVENTS", options, hear));
  const ended = (name: string) => until(() => announced.get(name), { timeoutMs: 240_000 });
  return { experiment, broker, environment, evaluator, ended };
}
