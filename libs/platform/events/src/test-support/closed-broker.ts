/** A real server that knows its clients by their certificates and lets each do what the table says, and connections to it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type ConnectionOptions, connect, type NatsConnection } from "@nats-io/transport-node";
import { type NatsServer, type NatsServerOptions, startNatsServer } from "@pretrain/nats-server";
import { createLog, type Log } from "@pretrain/observability";
import { type TestScope, temporaryDirectory } from "@pretrain/testing";
import { openTls, type Tls, tlsFiles } from "@pretrain/tls";
import { type Authority, createAuthority } from "@pretrain/tls/authority";
import { type Broker, connectBroker } from "../broker.ts";
import { brokerPermissions } from "../permissions.ts";
import { standingBroker } from "../standing-broker.ts";
import type { TopologyOptions } from "../topology.ts";

export const quiet = createLog("closed-broker", "fatal");

export interface Place {
  readonly running: AsyncDisposableStack;
  readonly folder: string;
  readonly authority: Authority;
  /** Folder of an identity's certificate. */
  certificates(identity: string): string;
  tls(identity: string): Tls;
  serve(options?: Partial<NatsServerOptions>): Promise<NatsServer>;
}

/** Certificates for all identities and for the server, of one authority. */
export async function closedPlace(t: TestScope & { after(hook: () => Promise<void>): void }): Promise<Place> {
  const running = new AsyncDisposableStack();
  t.after(() => running.disposeAsync()); // before the folder's own: hooks run in the order of registration
  const folder = temporaryDirectory(t);
  const authority = await createAuthority();
  const certificates = (identity: string) => join(folder, identity);
  for (const name of ["nats", ...brokerPermissions.map((each) => each.name)]) {
    await authority.issue(certificates(name), { name });
  }
  const access = { certificates: certificates("nats"), users: brokerPermissions };
  return {
    running,
    folder,
    authority,
    certificates,
    tls: (identity) => running.use(openTls(certificates(identity), { log: quiet, lookEveryMs: 20 })),
    serve: async (options = {}) =>
      running.use(await startNatsServer({ port: 0, storeDirectory: join(folder, "store"), access, ...options })),
  };
}

/** A connection without any of our own code. */
export async function plainClient(
  place: Place,
  url: string,
  identity: string,
  options: ConnectionOptions = {},
): Promise<NatsConnection> {
  const read = (file: string) => readFileSync(join(place.certificates(identity), file), "utf8");
  const tls = { cert: read(tlsFiles.certificate), key: read(tlsFiles.key), ca: read(tlsFiles.authority) };
  const nats = await connect({
    servers: url.split(","),
    name: identity,
    inboxPrefix: `_INBOX_${identity}`,
    tls,
    ...options,
  });
  place.running.defer(() => nats.close());
  return nats;
}

export async function brokerOf(place: Place, url: string, name: string, log: Log = quiet): Promise<Broker> {
  return place.running.use(await connectBroker({ url, name, tls: place.tls(name), log }));
}

export async function standingBrokerOf(
  place: Place,
  url: string,
  name: string,
  { log = quiet, ...topology }: TopologyOptions & { readonly log?: Log } = {},
): Promise<Broker> {
  return place.running.use(await standingBroker({ url, name, tls: place.tls(name), log, ...topology }));
}
