/** The system with two instances of each service that may have several, behind one address each; one report service; one broker. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { environmentOf, type ServiceName, type ServiceProcess, serviceAddresses, startService } from "@pretrain/cli";
import { ensureNatsServer, type NatsServer, startNatsServer } from "@pretrain/nats-server";
import { type TestScope, temporaryDirectory } from "@pretrain/testing";
import { writeChapters } from "../chapters.ts";
import { type Balancer, startBalancer } from "./balancer.ts";

const instanceCounts = { "data-shard": 2, trainer: 2, evaluator: 2, report: 1 } as const satisfies Record<
  ServiceName,
  number
>;

export const serviceNames = Object.keys(instanceCounts) as ServiceName[];

export interface Instance {
  readonly address: string;
  readonly process: ServiceProcess;
}

type Balancers = Readonly<Record<ServiceName, Balancer>>;

export class ReplicatedSystem implements AsyncDisposable {
  readonly folder: string;
  readonly #broker: NatsServer;
  readonly #balancers: Balancers;
  readonly #instances = new Map<ServiceName, Instance[]>();
  #started = 0;

  constructor(folder: string, broker: NatsServer, balancers: Balancers) {
    this.folder = folder;
    this.#broker = broker;
    this.#balancers = balancers;
  }

  get state(): string {
    return join(this.folder, "state");
  }

  get brokerUrl(): string {
    return this.#broker.url;
  }

  /** host:port that leads to any instance. */
  address(name: ServiceName): string {
    return this.#balancers[name].address;
  }

  /** Those that new connections are led to. */
  instances(name: ServiceName): readonly Instance[] {
    return this.#instances.get(name) ?? [];
  }

  /** Starts another instance, with a folder of its own, and leads callers to it once it says that it serves. */
  async add(name: ServiceName): Promise<void> {
    this.#started += 1;
    const addresses = await serviceAddresses("free");
    const own = addresses[name];
    const stateDirectory = this.state;
    const environment = {
      ...environmentOf(name, {
        stateDirectory,
        dataRoots: [join(this.folder, "data")],
        natsUrl: this.brokerUrl,
        addresses: {
          "data-shard": { ...addresses["data-shard"], grpc: this.address("data-shard") },
          trainer: { ...addresses.trainer, grpc: this.address("trainer") },
          evaluator: { ...addresses.evaluator, grpc: this.address("evaluator") },
          report: addresses.report,
        },
      }),
      PRETRAIN_GRPC_ADDRESS: own.grpc,
      PRETRAIN_HTTP_ADDRESS: own.http,
      PRETRAIN_STATE: join(stateDirectory, name === "report" ? name : `${name}-${this.#started}`),
      PRETRAIN_LEASE_TTL_MS: "3000",
      PRETRAIN_EVALUATION_NICENESS: "0", // what is found must not depend on how busy the machine is
    };
    const logFile = join(this.folder, "logs", `${name}-${this.#started}.log`);
    const process = await startService({ name, environment, logFile });
    await process.serving(own.grpc);
    this.#instances.set(name, [...this.instances(name), { address: own.grpc, process }]);
    this.#lead(name);
  }

  /** Takes an instance out of the callers' way; it goes on with what it has. */
  remove(name: ServiceName, instance: Instance): void {
    this.#instances.set(
      name,
      this.instances(name).filter((each) => each !== instance),
    );
    this.#lead(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = serviceNames.flatMap((name) => this.instances(name));
    await Promise.all(all.map(({ process }) => process[Symbol.asyncDispose]()));
    await Promise.all(serviceNames.map((name) => this.#balancers[name][Symbol.asyncDispose]()));
    await this.#broker.stop();
  }

  #lead(name: ServiceName): void {
    this.#balancers[name].leadTo(this.instances(name).map(({ address }) => address));
  }
}

export async function startReplicatedSystem(t: TestScope): Promise<ReplicatedSystem> {
  const running = new AsyncDisposableStack();
  t.after(() => running.disposeAsync()); // before the folder's own: hooks run in the order of registration
  const folder = temporaryDirectory(t);
  await Promise.all(["data", "logs", "state/blobs"].map((name) => mkdir(join(folder, name), { recursive: true })));
  await writeChapters(join(folder, "data", "chapters.jsonl"));
  await ensureNatsServer();
  const broker = await startNatsServer({ port: 0, storeDirectory: join(folder, "nats") });
  const [dataShard, trainer, evaluator, report] = await Promise.all(serviceNames.map(startBalancer));
  if (!dataShard || !trainer || !evaluator || !report) throw new Error("an address is missing");
  const system = running.use(
    new ReplicatedSystem(folder, broker, { "data-shard": dataShard, trainer, evaluator, report }),
  );
  for (const name of serviceNames) {
    for (let count = 0; count < instanceCounts[name]; count += 1) await system.add(name);
  }
  return system;
}
