/**
 * Ports that are free now and stay so until whoever asked for them listens, seconds later, in a child process perhaps.
 *
 * A port that the system names for 0 is one of its ephemeral ports: let go, it is given to the next connection or server of any
 * process, and a start that was prepared ends with EADDRINUSE. So the ports here are of below Linux's ephemeral ones, and
 * each process takes them from a block of its own, which it holds by listening on the block's first port until it ends.
 */
import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { FailedPrecondition, hasErrorCode } from "@pretrain/errors";

const host = "127.0.0.1";
/** Linux names ports of 32768 to 60999 for 0, and what is well known lies mostly below 20000. */
const [lowest, highest] = [20_000, 32_767];
const blockSize = 64;
const blockCount = Math.floor((highest + 1 - lowest) / blockSize);

let claimed: Promise<number> | undefined;
let handedOut = 0;

/** A loopback port on which nobody listens. Prefer port 0 wherever the server can say what it got. @throws as `freePorts` */
export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}

/**
 * `count` different loopback ports on which nobody listens, and which no other process that asks here is given while this one
 * lives. This process itself is given one again when all the others of its block were given since.
 *
 * @throws FailedPrecondition when there are not as many.
 */
export async function freePorts(count: number): Promise<number[]> {
  claimed ??= claimBlock();
  const first = await claimed;
  const ports: number[] = [];
  for (let tried = 1; tried < blockSize && ports.length < count; tried += 1) {
    const port = first + 1 + (handedOut++ % (blockSize - 1));
    const server = await listening(port);
    if (server === undefined) continue;
    ports.push(port);
    await once(server.close(), "close");
  }
  if (ports.length < count) throw noneFree(`${count} ports of ${first + 1} to ${first + blockSize - 1}`);
  return ports;
}

/** The first port of a block that no other process holds. Processes begin at places of their own, and seldom meet. */
async function claimBlock(): Promise<number> {
  for (let tried = 0; tried < blockCount; tried += 1) {
    const first = lowest + ((process.pid + tried) % blockCount) * blockSize;
    const guard = await listening(first);
    if (guard === undefined) continue;
    guard.unref(); // held as long as the process lives, and no longer
    return first;
  }
  throw noneFree(`a block of ports of ${lowest} to ${highest}`);
}

/** @returns undefined where somebody listens already. */
async function listening(port: number): Promise<Server | undefined> {
  const server = createServer();
  try {
    await once(server.listen({ port, host, exclusive: true }), "listening");
    return server;
  } catch (error) {
    if (hasErrorCode(error, "EADDRINUSE")) return undefined;
    throw error;
  }
}

function noneFree(wanted: string): FailedPrecondition {
  return new FailedPrecondition(
    "ADDRESS_TAKEN",
    `wanted ${wanted} on ${host}, and programs listen on them; end those that nobody needs`,
    {},
  );
}
