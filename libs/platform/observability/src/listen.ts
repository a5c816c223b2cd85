/** Binding a server to an address, with an error that says which variable to change. */
import type { Server } from "node:net";
import { FailedPrecondition, InvalidArgument, systemReason } from "@pretrain/errors";

/**
 * @param address `host:port`; port 0 lets the system choose
 * @param variable the environment variable that the address came from, named in errors
 * @returns the address that the server listens on, with the real port
 * @throws FailedPrecondition ADDRESS_UNUSABLE when the port is taken or the host is not this machine's
 */
export async function listen(server: Server, address: string, variable: string): Promise<string> {
  const { host, port } = parseAddress(address, variable);
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

function unusable(address: string, variable: string, cause: Error): FailedPrecondition {
  return new FailedPrecondition(
    "ADDRESS_UNUSABLE",
    `${address} ${systemReason(cause)}; set ${variable} to another address, or end what listens there`,
    { address, variable },
    { cause },
  );
}
