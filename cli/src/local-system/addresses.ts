/** Where each part of the system listens on one machine: the well-known ports, or free ones for tests. */

import { once } from "node:events";
import { createServer } from "node:net";
import { FailedPrecondition, systemReason } from "@pretrain/errors";
import { freePorts } from "@pretrain/free-ports";
import { type ServiceName, serviceNames } from "./services.ts";

export interface ServiceAddresses {
  /** host:port */
  readonly grpc: string;
  /** host:port of /healthz and /metrics, and of the report service's page. */
  readonly http: string;
}

/** `"free"`: any free ports. Otherwise the first port of each kind; the services follow in the order data-shard, trainer, evaluator, report. */
export type Ports =
  | "free"
  | { readonly nats: number; readonly firstGrpc: number; readonly page: number; readonly firstHttp: number };

/** 7401 to 7404 for gRPC, 7400 for the page, 7411 to 7413 for the other services' health and metrics, 4222 for NATS. */
export const wellKnownPorts: Ports = { nats: 4222, firstGrpc: 7401, page: 7400, firstHttp: 7411 };

const host = "127.0.0.1";

/** @throws FailedPrecondition that names every address which is taken. */
export async function serviceAddresses(ports: Ports): Promise<Record<ServiceName, ServiceAddresses>> {
  const found = ports === "free" ? await freePorts(serviceNames.length * 2) : await expectFree(numbered(ports));
  const of = (name: ServiceName): ServiceAddresses => {
    const index = serviceNames.indexOf(name) * 2;
    return { grpc: `${host}:${found[index]}`, http: `${host}:${found[index + 1]}` };
  };
  return { "data-shard": of("data-shard"), trainer: of("trainer"), evaluator: of("evaluator"), report: of("report") };
}

/** gRPC and HTTP of each service in their order. */
function numbered({ firstGrpc, page, firstHttp }: Exclude<Ports, "free">): number[] {
  return serviceNames.flatMap((name, index) => [firstGrpc + index, name === "report" ? page : firstHttp + index]);
}

async function expectFree(wanted: readonly number[]): Promise<readonly number[]> {
  const servers = wanted.map(() => createServer());
  const tried = await Promise.allSettled(
    servers.map((server, index) => once(server.listen(wanted[index], host), "listening")),
  );
  await Promise.all(servers.filter((server) => server.listening).map((server) => once(server.close(), "close")));
  const faults = tried.flatMap((outcome, index) =>
    outcome.status === "rejected" ? [`${host}:${wanted[index]} ${systemReason(outcome.reason)}`] : [],
  );
  if (faults.length === 0) return wanted;
  throw new FailedPrecondition(
    "ADDRESS_TAKEN",
    `${faults.join("; ")}. Is the system running already? Stop it first, or choose other ports`,
    {},
  );
}
