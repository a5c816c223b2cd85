/**
 * The whole system as one that is hurt: real processes that are started again when they end, as a cluster would do it, and
 * connections that lead through proxies. Two trainers compete for the work, each with a spool of its own.
 *
 *     services ──▶ proxy ──▶ nats-server           trainers, evaluator ──▶ proxy ──▶ data-shard
 */
import { cp, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import {
  environmentOf,
  type ServiceAddresses,
  type ServiceName,
  type ServiceProcess,
  serviceAddresses,
  startService,
} from "@pretrain/cli";
import { ensureNatsServer, type NatsServer, startNatsServer } from "@pretrain/nats-server";
import { type FaultProxy, startFaultProxy, until } from "@pretrain/testing";
import { writeChapters } from "../../chapters.ts";
import { pidsOf, processesOf, type Role } from "./processes.ts";

/** Time to live of a lease, and the longest silence of a worker that holds work. */
export const leaseTtlMs = 3_000;

const clockShim = new URL("./clock.ts", import.meta.url).href;
const restartPauseMs = 50;
/** A busy machine takes its time; nothing here is about how long. */
const patienceMs = 120_000;

type Addresses = Readonly<Record<Instance, ServiceAddresses>>;

/** What is kept running, and the service that each is. */
const instances = {
  "data-shard": "data-shard",
  trainer: "trainer",
  "second-trainer": "trainer",
  evaluator: "evaluator",
  report: "report",
} as const satisfies Record<string, ServiceName>;

type Instance = keyof typeof instances;
const instanceNames = Object.keys(instances) as Instance[];

/** Folders of the trainers' spools, below the system's state. */
export const spoolFolders = ["trainer/spool", "second-trainer/spool"] as const;

/** Starts everything in `folder`, which must be there, and resolves when every service says that it serves. */
export async function startChaosSystem(folder: string): Promise<ChaosSystem> {
  await Promise.all(
    ["data", "logs", "state/blobs", "clocks"].map((name) => mkdir(join(folder, name), { recursive: true })),
  );
  await writeChapters(join(folder, "data", "chapters.jsonl"));
  await ensureNatsServer();
  const addresses = { ...(await serviceAddresses("free")), "second-trainer": (await serviceAddresses("free")).trainer };
  const broker = await startNatsServer({ port: 0, storeDirectory: brokerStore(folder) });
  const proxies = {
    broker: await startFaultProxy(portIn(broker.url)),
    dataShard: await startFaultProxy(portIn(addresses["data-shard"].grpc)),
  };
  const system = new ChaosSystem(folder, addresses, broker, proxies);
  try {
    await system.serving();
    return system;
  } catch (error) {
    await system[Symbol.asyncDispose]();
    throw error;
  }
}

export class ChaosSystem implements AsyncDisposable {
  readonly folder: string;
  readonly proxies: { readonly broker: FaultProxy; readonly dataShard: FaultProxy };
  readonly #addresses: Addresses;
  readonly #keeping: Promise<unknown>;
  readonly #stopping = Promise.withResolvers<"stop">();
  readonly #services = new Map<Instance, ServiceProcess>();
  #isStopping = false;
  #broker: NatsServer;

  constructor(folder: string, addresses: Addresses, broker: NatsServer, proxies: ChaosSystem["proxies"]) {
    this.folder = folder;
    this.#addresses = addresses;
    this.#broker = broker;
    this.proxies = proxies;
    this.#keeping = Promise.all(instanceNames.map((name) => this.#keep(name)));
  }

  /** Everything that the system keeps lies below it. */
  get state(): string {
    return join(this.folder, "state");
  }

  /** host:port of a service's gRPC, without a proxy in between. */
  address(name: Instance): string {
    return this.#addresses[name].grpc;
  }

  /** The broker itself, without a proxy in between. */
  get brokerUrl(): string {
    return this.#broker.url;
  }

  /** Resolves when every service says that it serves. */
  async serving(): Promise<void> {
    for (const name of instanceNames) {
      const service = await until(() => this.#services.get(name), { timeoutMs: patienceMs });
      await service.serving(this.address(name));
    }
  }

  pids(role: Role): number[] {
    return pidsOf(this.folder, role);
  }

  /** Sends a signal to each of them. @returns to how many */
  signal(pids: readonly number[], signal: NodeJS.Signals): number {
    return pids.filter((pid) => sent(pid, signal)).length;
  }

  /** The broker ends by `signal` and is started again on the same disk, or on the one that `meanwhile` has made of it. */
  async restartBroker(
    signal: NodeJS.Signals,
    meanwhile: (store: string) => Promise<void> = async () => {},
  ): Promise<void> {
    const store = brokerStore(this.folder);
    sent(this.#broker.pid, signal);
    sent(this.#broker.pid, "SIGCONT"); // one that was stopped hears nothing
    await this.#broker.exited;
    await meanwhile(store);
    this.#broker = await until(() => startNatsServer({ port: 0, storeDirectory: store }), { timeoutMs: patienceMs });
    this.proxies.broker.targetPort = portIn(this.#broker.url);
    this.proxies.broker.reset(); // connections to a port that nobody listens on any more
  }

  /** A copy of the broker's disk as a power cut leaves it now. */
  async copyBrokerDisk(): Promise<string> {
    const copy = join(this.folder, "older-disk");
    await rm(copy, { recursive: true, force: true });
    await this.restartBroker("SIGKILL", (store) => cp(store, copy, { recursive: true }));
    return copy;
  }

  /** Sets the wall clock of a service's processes ahead, or back, by seconds; 0 sets it right again. */
  setClock(name: Instance, seconds: number): Promise<void> {
    return writeFile(this.#clockFile(name), String(seconds));
  }

  #clockFile(name: Instance): string {
    return join(this.folder, "clocks", name);
  }

  /** What is still running of it: nothing, once it was disposed of. */
  processes(): ReturnType<typeof processesOf> {
    return processesOf(this.folder);
  }

  /** Takes back every fault that lasts, then ends everything politely. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.proxies.broker.heal();
    this.proxies.dataShard.heal();
    for (const { pid } of this.processes()) sent(pid, "SIGCONT");
    this.#isStopping = true;
    this.#stopping.resolve("stop");
    await this.#keeping;
    await Promise.all([...this.#services.values()].map((service) => service[Symbol.asyncDispose]()));
    await this.#broker.stop();
    await Promise.all(Object.values(this.proxies).map((proxy) => proxy[Symbol.asyncDispose]()));
  }

  /** Starts a service, and again whenever it ends. */
  async #keep(name: Instance): Promise<void> {
    while (!this.#isStopping) {
      const service = await startService({
        name: instances[name],
        environment: this.#environment(name),
        logFile: join(this.folder, "logs", `${name}.log`),
      });
      this.#services.set(name, service);
      await Promise.race([this.#stopping.promise, service.failed.catch(() => undefined)]);
      await Promise.race([this.#stopping.promise, pause(restartPauseMs)]);
    }
  }

  #environment(name: Instance): Record<string, string> {
    const { folder, proxies } = this;
    const surroundings = {
      stateDirectory: this.state,
      dataRoots: [join(folder, "data")],
      addresses: this.#addresses,
      natsUrl: `nats://127.0.0.1:${proxies.broker.port}`,
      blobsUrl: `file://${join(this.state, "blobs")}`,
    };
    return {
      ...environmentOf(instances[name], surroundings),
      PRETRAIN_GRPC_ADDRESS: this.#addresses[name].grpc,
      PRETRAIN_HTTP_ADDRESS: this.#addresses[name].http,
      PRETRAIN_STATE: join(this.state, name),
      PRETRAIN_DATA_SHARD: `127.0.0.1:${proxies.dataShard.port}`,
      PRETRAIN_LEASE_TTL_MS: String(leaseTtlMs),
      PRETRAIN_WORKER_IDLE_MS: "60000",
      PRETRAIN_EVALUATION_NICENESS: "0", // what is found must not depend on how busy the machine is
      PRETRAIN_CHAOS_CLOCK: this.#clockFile(name),
      NODE_OPTIONS: `--import=${clockShim}`,
    };
  }
}

/** Not below the state: nats-server reserves gigabytes for its streams, and refuses a small disk. */
export function brokerStore(folder: string): string {
  return join(folder, "nats");
}

/** False when there is no such process any more. */
function sent(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

function portIn(address: string): number {
  return Number(address.slice(address.lastIndexOf(":") + 1));
}
