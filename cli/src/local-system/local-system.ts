/** The whole system on one machine: the broker and the four services, each a process of its own, stopped in reverse order. */
import { appendFileSync } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { brokerPermissions } from "@pretrain/events";
import { ensureNatsServer, type NatsServer, startNatsServer } from "@pretrain/nats-server";
import { type Ports, serviceAddresses } from "./addresses.ts";
import { type LocalIdentities, openLocalIdentities } from "./local-identities.ts";
import { type ServiceProcess, startService } from "./service-process.ts";
import { environmentOf, folderOfBlobs, type ServiceName, serviceNames } from "./services.ts";

export interface LocalSystemOptions {
  /** Everything that the system keeps lies here: streams, blobs, ledger, spools, logs. */
  readonly stateDirectory: string;
  /** Folders that a recipe's paths are looked up in and confined to. */
  readonly dataRoots: readonly string[];
  readonly ports: Ports;
  /** Another store of blobs than a folder there, such as `s3://bucket/prefix`, which `environment` says how to reach. */
  readonly blobsUrl?: string;
  /** Certificates, rights and keys, in `identities` there: every call is asked who makes it, on this machine too. */
  readonly secured?: boolean;
  /** Variables for all services; they come before their own of the same name. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface LocalSystem extends AsyncDisposable {
  readonly natsUrl: string;
  readonly pageUrl: string;
  /** Of gRPC, as host:port. */
  readonly addresses: Readonly<Record<ServiceName, string>>;
  /** Of /healthz and /metrics, as host:port. */
  readonly httpAddresses: Readonly<Record<ServiceName, string>>;
  readonly blobsUrl: string;
  /** Undefined: nobody is asked who he is. */
  readonly identities: LocalIdentities | undefined;
  readonly processes: Readonly<Record<ServiceName, ServiceProcess>>;
  readonly broker: NatsServer;
  /** Rejects, with the service's last words, when one of them ends by itself. Never resolves. */
  readonly failed: Promise<never>;
}

/**
 * Starts everything and resolves when every service says that it serves. What was started is stopped again on an error.
 *
 * @throws FailedPrecondition when an address is taken; Unavailable, with its last words, when a service does not come up.
 */
export async function startLocalSystem(options: LocalSystemOptions): Promise<LocalSystem> {
  const { stateDirectory, ports } = options;
  await using starting = new AsyncDisposableStack();
  await Promise.all(["logs", "blobs"].map((folder) => mkdir(join(stateDirectory, folder), { recursive: true })));
  const addresses = await serviceAddresses(ports);
  await ensureNatsServer();
  const storeDirectory = join(stateDirectory, "nats");
  const identities =
    options.secured === true ? await openLocalIdentities(join(stateDirectory, "identities")) : undefined;
  const access = identities && { certificates: identities.certificates.nats, users: brokerPermissions };
  const natsPort = ports === "free" ? 0 : ports.nats;
  const brokerLog = starting.use(await open(join(stateDirectory, "logs", "nats.log"), "a"));
  const onLogLine = (line: string) => appendFileSync(brokerLog.fd, `${line}\n`);
  const broker = starting.use(
    await startNatsServer({ port: natsPort, storeDirectory, ...(access && { access }), onLogLine }),
  );
  const { blobsUrl = folderOfBlobs(stateDirectory) } = options;
  const processes: Partial<Record<ServiceName, ServiceProcess>> = {};
  for (const name of serviceNames) {
    const environment = {
      ...environmentOf(name, { ...options, addresses, natsUrl: broker.url, blobsUrl, identities }),
      ...options.environment,
    };
    const logFile = join(stateDirectory, "logs", `${name}.log`);
    const authorityFile = identities?.authorityFile;
    processes[name] = starting.use(await startService({ name, environment, logFile, authorityFile }));
  }
  const all = complete(processes);
  await Promise.all(serviceNames.map((name) => all[name].serving(addresses[name].grpc)));
  const running = starting.move();
  return {
    natsUrl: broker.url,
    pageUrl: `${identities === undefined ? "http" : "https"}://${addresses.report.http}/`,
    identities,
    addresses: addressesOf("grpc", addresses),
    httpAddresses: addressesOf("http", addresses),
    blobsUrl,
    processes: all,
    broker,
    failed: Promise.race(serviceNames.map((name) => all[name].failed)),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function addressesOf(
  protocol: "grpc" | "http",
  addresses: Awaited<ReturnType<typeof serviceAddresses>>,
): Record<ServiceName, string> {
  return {
    "data-shard": addresses["data-shard"][protocol],
    trainer: addresses.trainer[protocol],
    evaluator: addresses.evaluator[protocol],
    report: addresses.report[protocol],
  };
}

function complete(processes: Partial<Record<ServiceName, ServiceProcess>>): Record<ServiceName, ServiceProcess> {
  const { "data-shard": dataShard, trainer, evaluator, report } = processes;
  if (!dataShard || !trainer || !evaluator || !report) throw new Error("a service was not started");
  return { "data-shard": dataShard, trainer, evaluator, report };
}
