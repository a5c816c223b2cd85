/** The trainer as the process that it is, with a real broker and a data-shard of the test's own, all ended with the test. */
import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { type BlobStore, openBlobs } from "@pretrain/blobs";
import { type Broker, connectBroker, type Delivered, ensureTopology } from "@pretrain/events";
import { type NatsServer, startNatsServer } from "@pretrain/nats-server";
import { createLog } from "@pretrain/observability";
import { type Experiment, type RecipeSchema, TrainerService } from "@pretrain/proto";
import { connectClient, type PretrainClient } from "@pretrain/rpc";
import { type TestScope, temporaryDirectory } from "@pretrain/testing";
import { type FakeDataShard, serveFakeDataShard, vocabulary, width } from "./fake-data-shard.ts";

/** 15 micro-steps of 8 rows at most in 3 epochs, 7 optimizer steps, checkpoints behind 4, 8, 12 and 15. */
export const tinyRecipe = {
  data: { path: "rows.txt" },
  model: { dim: 16, nLayers: 1, nHeads: 2, nKvHeads: 1, hiddenDim: 24, vocabSize: vocabulary, maxSeqLen: width },
  training: {
    epochs: 3,
    batchSize: 8,
    accumulationSteps: 2,
    learningRate: 1e-2,
    dtype: "float32",
    saveInterval: 4,
    seed: 5,
  },
  monitoring: { profileInterval: 5, memoryMonitorInterval: 5 },
  evaluation: { samples: 1, inputLength: 3, predictLength: 3 },
} satisfies MessageInitShape<typeof RecipeSchema>;

export const tinySteps = 15;

export interface LogLine {
  readonly level: string;
  readonly service: string;
  readonly msg: string;
  readonly pid: number;
  readonly [field: string]: unknown;
}

export interface System {
  readonly server: NatsServer;
  readonly broker: Broker;
  readonly dataShard: FakeDataShard;
  readonly blobs: BlobStore;
  readonly folder: string;
  /** Starts a trainer on this system's stores. */
  startTrainer(environment?: Readonly<Record<string, string>>): Promise<Trainer>;
  /** Starts a worker of its own, as a cluster would. */
  startWorker(environment?: Readonly<Record<string, string>>): Worker;
}

export interface Worker {
  readonly pid: number;
  readonly log: readonly LogLine[];
  /** Exit code, or null when a signal ended it. */
  readonly exited: Promise<number | null>;
}

export interface Trainer {
  readonly pid: number;
  readonly client: PretrainClient<typeof TrainerService>;
  readonly log: readonly LogLine[];
  /** Asks it to end; resolves when it has. */
  stop(): Promise<number | null>;
  /** Kills it without asking. */
  kill(): Promise<unknown>;
  /** The experiment when it has reached a final state. */
  ended(name: string): Promise<Experiment>;
}

export async function startSystem(t: TestScope): Promise<System> {
  const running = new AsyncDisposableStack();
  t.after(() => running.disposeAsync()); // before the folder's own: hooks run in the order of registration
  const folder = temporaryDirectory(t);
  const server = running.use(await startNatsServer({ port: 0, storeDirectory: join(folder, "nats") }));
  const broker = running.use(await connectBroker({ url: server.url, name: "test", log: createLog("test", "error") }));
  await ensureTopology(broker);
  const dataShard = running.use(await serveFakeDataShard());
  const blobsAddress = pathToFileURL(join(folder, "blobs")).href;
  return {
    server,
    broker,
    dataShard,
    folder,
    blobs: openBlobs(blobsAddress),
    startTrainer: async (environment = {}) => {
      const trainer = await startTrainer({
        PRETRAIN_NATS_URL: server.url,
        PRETRAIN_BLOBS: blobsAddress,
        PRETRAIN_STATE: join(folder, "state"),
        PRETRAIN_DATA_SHARD: dataShard.address,
        ...environment,
      });
      running.defer(async () => void (await trainer.stop()));
      return trainer;
    },
    startWorker: (environment = {}) => {
      const [worker, child] = startWorker({
        PRETRAIN_NATS_URL: server.url,
        PRETRAIN_BLOBS: blobsAddress,
        PRETRAIN_STATE: join(folder, "state-of-worker"),
        PRETRAIN_DATA_SHARD: dataShard.address,
        ...environment,
      });
      running.defer(async () => {
        child.kill("SIGKILL");
        await worker.exited;
      });
      return worker;
    },
  };
}

function startWorker(environment: Readonly<Record<string, string>>): [Worker, ChildProcess] {
  const child = spawn(process.execPath, [fileURLToPath(new URL("../worker-main.ts", import.meta.url))], {
    env: { PATH: process.env["PATH"], ...environment },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const log: LogLine[] = [];
  createInterface({ input: child.stdout }).on("line", (text) => hear(text, log));
  const exited = new Promise<number | null>((resolve) => child.once("close", (code) => resolve(code)));
  return [{ pid: child.pid ?? 0, log, exited }, child];
}

async function startTrainer(environment: Readonly<Record<string, string>>): Promise<Trainer> {
  const child = spawn(process.execPath, [fileURLToPath(new URL("../main.ts", import.meta.url))], {
    env: {
      PATH: process.env["PATH"],
      PRETRAIN_GRPC_ADDRESS: "127.0.0.1:0",
      PRETRAIN_HTTP_ADDRESS: "127.0.0.1:0",
      PRETRAIN_EXPLANATION_NICENESS: "0", // else it may wait for minutes where other tests keep the processors busy
      ...environment,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));
  const log: LogLine[] = [];
  const address = await serving(child, log);
  const client = connectClient(TrainerService, address);
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    const code = await exited;
    client[Symbol.dispose]();
    return code;
  };
  return {
    pid: child.pid ?? 0,
    client,
    log,
    stop: () => end("SIGTERM"),
    kill: () => end("SIGKILL"),
    ended: (name) => ended(client, name),
  };
}

function serving(child: ChildProcess, log: LogLine[]): Promise<string> {
  return new Promise((resolve, reject) => {
    if (child.stdout === null) return reject(new Error("no output"));
    createInterface({ input: child.stdout }).on("line", (text) => {
      const line = hear(text, log);
      if (line.msg === "serving") resolve(String(line["grpc"]));
      if (line.level === "fatal") reject(new Error(text));
    });
  });
}

function hear(text: string, log: LogLine[]): LogLine {
  const line: LogLine = JSON.parse(text);
  log.push(line);
  if (process.env["PRETRAIN_TEST_LOG"] !== undefined) process.stderr.write(`${text}\n`);
  return line;
}

async function ended(client: PretrainClient<typeof TrainerService>, name: string): Promise<Experiment> {
  const signal = AbortSignal.timeout(90_000);
  let last: Experiment | undefined;
  for await (const { experiment } of client.watchExperiment({ name }, { signal })) last = experiment;
  if (last === undefined) throw new Error(`the watch of ${name} ended without a word`);
  return last;
}

/** Process ids of the workers below a trainer: those that hold the work, and those that compute, which are their children. */
export function workersOf(trainer: number): { readonly holding: number[]; readonly computing: number[] } {
  const holding = childrenOf([trainer]);
  return { holding, computing: childrenOf(holding) };
}

function childrenOf(parents: readonly number[]): number[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .filter((entry) => parents.includes(parentOf(entry)))
    .map(Number);
}

function parentOf(pid: string): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return state === "Z" ? 0 : Number(parent);
  } catch {
    return 0; // it has ended since the folder was read
  }
}

/** Every event of an experiment that both streams hold, in the order of each. */
export async function eventsOf({ broker }: System, experiment: string): Promise<Delivered[]> {
  const found: Delivered[] = [];
  for (const kinds of [
    ["step", "memory", "profile", "log"],
    ["state", "attempt", "phase", "dataset", "checkpoint"],
  ] as const) {
    const signal = AbortSignal.timeout(700);
    for await (const event of broker.follow({ experiment, kinds, from: "all" }, signal)) found.push(event);
  }
  return found;
}
