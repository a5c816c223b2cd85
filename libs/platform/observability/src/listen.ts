/** Binding a server to an address, with an error that says which variable to change. Beyond this machine only what knows its callers is served. */
import { isIP, type Server } from "node:net";
import { FailedPrecondition, InvalidArgument, systemReason } from "@pretrain/errors";

export interface ListenOptions {
  /** `host:port`; port 0 lets the system choose. */
  readonly address: string;
  /** The environment variable that the address came from, named in errors. */
  readonly variable: string;
  /**
   * Variables that are not set and without which nobody beyond this machine may be served: without a certificate whatever is said can
   * be read and changed on its way, without rights everybody may do everything. Empty: it may be bound to any address.
   */
  readonly missing: readonly string[];
}

/**
 * @returns the address that the server listens on, with the real port
 * @throws FailedPrecondition ADDRESS_UNUSABLE when the port is taken or the host is not this machine's; ADDRESS_EXPOSED when others than
 *   this machine could reach it and something is missing, before anything is bound
 */
export async function listen(server: Server, { address, variable, missing }: ListenOptions): Promise<string> {
  const { host, port } = parseAddress(address, variable);
  if (missing.length > 0 && !isLoopback(host)) throw exposed(address, variable, missing);
  await new Promise<void>((resolve, reject) => {
    const fail = (cause: Error) => reject(unusable(address, variable, cause));
    server.once("error", fail);
    server.listen({ host, port }, () => {
      server.off("error", fail);
      resolve();
    });
  });
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error(`${address} is bound to no port`);
  return `${address.slice(0, address.lastIndexOf(":"))}:${bound.port}`;
}

function parseAddress(address: string, variable: string): { readonly host: string; readonly port: number } {
  const url = URL.parse(`tcp://${address}`);
  const port = Number(url?.port || Number.NaN);
  if (url !== null && Number.isInteger(port)) return { host: url.hostname.replace(/^\[|\]$/g, ""), port };
  throw new InvalidArgument([{ field: variable, description: `is "${address}"; host:port is expected` }]);
}

/** Whether only this machine reaches it. A name other than `localhost` is whatever somebody's name server says. */
function isLoopback(host: string): boolean {
  if (isIP(host) === 4) return host.startsWith("127.");
  return host === "::1" || host === "localhost";
}

function exposed(address: string, variable: string, missing: readonly string[]): FailedPrecondition {
  const message =
    `${variable}: others than this machine reach ${address}, and ${missing.join(" and ")} ` +
    `${missing.length > 1 ? "are" : "is"} not set; set ${missing.length > 1 ? "them" : "it"}, or listen on 127.0.0.1`;
  return new FailedPrecondition("ADDRESS_EXPOSED", message, { address, variable, missing: missing.join(",") });
}

function unusable(address: string, variable: string, cause: Error): FailedPrecondition {
  return new FailedPrecondition(
    "ADDRESS_UNUSABLE",
    `${address} ${systemReason(cause)}; set ${variable} to another address, or end what listens there`,
    { address, variable },
    { cause },
  );
}
