/** Where the server may listen: on loopback, and where nobody else does. */
import { once } from "node:events";
import { BlockList, createServer, isIPv4, isIPv6 } from "node:net";
import { FailedPrecondition, hasErrorCode, InvalidArgument } from "@pretrain/errors";

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/** @throws InvalidArgument unless `host` is `localhost`, 127.x.x.x or ::1. */
export function expectLoopback(host: string): void {
  if (host === "localhost" || (isIPv4(host) && loopback.check(host)) || (isIPv6(host) && loopback.check(host, "ipv6")))
    return;
  const description = `must be a loopback address, as this nats-server asks nobody for a password; is "${host}"`;
  throw new InvalidArgument([{ field: "host", description }]);
}

/** @throws FailedPrecondition that names the address, if something listens there. */
export async function expectFreePort(host: string, port: number): Promise<void> {
  const server = createServer();
  try {
    server.listen(port, host);
    await once(server, "listening");
  } catch (error) {
    if (!hasErrorCode(error, "EADDRINUSE")) throw error;
    const address = `${host}:${port}`;
    throw new FailedPrecondition(
      "ADDRESS_TAKEN",
      `${address} is taken, so nats-server cannot listen there; stop what does, or name a running NATS server in PRETRAIN_NATS_URL`,
      { address },
      { cause: error },
    );
  }
  server.close();
  await once(server, "close");
}
