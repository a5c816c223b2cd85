/** The system whose workers a pool runs: broker and API processes as they are on a cluster, which start no worker themselves. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { environmentOf, type ServiceAddresses, type ServiceName, serviceAddresses, startService } from "@pretrain/cli";
import { ensureNatsServer, type NatsServer, startNatsServer } from "@pretrain/nats-server";
import { writeChapters } from "../chapters.ts";
import type { WorkerKind } from "./cluster.ts";

const serviceNames = ["data-shard", "trainer", "evaluator", "report"] as const satisfies readonly ServiceName[];

/** Time to live of a lease, and the longest silence of a worker that holds work. */
const leaseTtlMs = 3_000;

export class PoolSystem implements AsyncDisposable {
  readonly folder: string;
  readonly broker: NatsServer;
  readonly #addresses: Readonly<Record<ServiceName, ServiceAddresses>>;
  readonly #opened: AsyncDisposableStack;

  constructor(
    folder: string,
    broker: NatsServer,
    addresses: Readonly<Record<ServiceName, ServiceAddresses>>,
    opened: AsyncDisposableStack,
  ) {
    this.folder = folder;
    this.broker = broker;
    this.#addresses = addresses;
    this.#opened = opened;
  }

  get state(): string {
    return join(this.folder, "state");
  }

  get brokerUrl(): string {
    return this.broker.url;
  }

  /** host:port of a service's gRPC. */
  address(name: ServiceName): string {
    return this.#addresses[name].grpc;
  }

  /** What the cluster scales: the same programs that the manifests name, with the same variables. */
  workers({ trainers, evaluators }: { readonly trainers: number; readonly evaluators: number }): WorkerKind[] {
    const environment = {
      PATH: process.env["PATH"],
      PRETRAIN_NATS_URL: this.brokerUrl,
      PRETRAIN_BLOBS: blobsOf(this.folder),
      PRETRAIN_DATA_SHARD: this.address("data-shard"),
      PRETRAIN_LEASE_TTL_MS: String(leaseTtlMs),
      PRETRAIN_WORKER_IDLE_MS: "0",
      PRETRAIN_STATE_KEPT: "no",
      PRETRAIN_EVALUATION_NICENESS: "0", // in its pod's group of processes, and others keep the processors busy
    };
    const program = (service: ServiceName, module: string) => ({
      module: fileURLToPath(new URL(module, import.meta.resolve(`@pretrain/${service}`))),
      environment,
    });
    return [
      {
        name: "trainer-worker",
        program: program("trainer", "worker-main.ts"),
        queues: ["train-high", "train", "train-low"],
        lagThreshold: 1,
        maxReplicaCount: trainers,
      },
      {
        name: "evaluator-worker",
        program: program("evaluator", "attempt/main.ts"),
        queues: ["evaluate"],
        lagThreshold: 4,
        maxReplicaCount: evaluators,
      },
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.disposeAsync();
  }
}

function blobsOf(folder: string): string {
  return `file://${join(folder, "state", "blobs")}`;
}

/** Starts everything in `folder`, which must be there, and resolves when every service says that it serves. */
export async function startPoolSystem(folder: string): Promise<PoolSystem> {
  await using opened = new AsyncDisposableStack();
  await Promise.all(["data", "logs", "state/blobs"].map((name) => mkdir(join(folder, name), { recursive: true })));
  await writeChapters(join(folder, "data", "chapters.jsonl"));
  await ensureNatsServer();
  const addresses = await serviceAddresses("free");
  const broker = opened.use(await startNatsServer({ port: 0, storeDirectory: join(folder, "nats") }));
  const surroundings = {
    stateDirectory: join(folder, "state"),
    dataRoots: [join(folder, "data")],
    addresses,
    natsUrl: broker.url,
    blobsUrl: blobsOf(folder),
  };
  for (const name of serviceNames) {
    const environment = {
      ...environmentOf(name, surroundings),
      PRETRAIN_WORKERS: "elsewhere",
      PRETRAIN_LEASE_TTL_MS: String(leaseTtlMs),
    };
    const service = opened.use(await startService({ name, environment, logFile: join(folder, "logs", `${name}.log`) }));
    await service.serving(addresses[name].grpc);
  }
  return new PoolSystem(folder, broker, addresses, opened.move());
}
