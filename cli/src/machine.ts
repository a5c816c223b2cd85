/** What this machine has, and which parts of the system answer on it: facts for a person, none of them a verdict. */
import { statfs } from "node:fs/promises";
import { connect } from "node:net";
import { availableParallelism, cpus, freemem, totalmem } from "node:os";
import { dirname } from "node:path";
import { systemReason } from "@pretrain/errors";

/** Rows of name and value. @param stateDirectory whose disk is looked at; it need not be there yet */
export async function machineFacts(stateDirectory: string): Promise<string[][]> {
  const disk = await statfs(stateDirectory).catch(() => statfs(dirname(stateDirectory)));
  const free = gibibytes(disk.bavail * disk.bsize);
  return [
    ["processor", `${cpus()[0]?.model ?? "unknown"}, ${availableParallelism()} threads`],
    ["memory", `${gibibytes(totalmem())} GiB, ${gibibytes(freemem())} free`],
    ["disk", `${free} GiB free for ${stateDirectory}`],
    ["system", `${process.platform} ${process.arch}, Node ${process.versions.node}`],
  ];
}

function gibibytes(bytes: number): string {
  return (bytes / 2 ** 30).toFixed(1);
}

const patienceMs = 3_000;

/** What a service says about itself on its HTTP address. */
export async function healthOf(address: string): Promise<string> {
  try {
    const response = await fetch(`http://${address}/healthz`, { signal: AbortSignal.timeout(patienceMs) });
    return (await response.text()).trim().slice(0, 100);
  } catch (error) {
    return notThere(error);
  }
}

/** Whether something takes connections there. */
export function acceptsConnections(address: string): Promise<string> {
  const [host = "", port = ""] = address.split(/:(?=\d+$)/);
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), timeout: patienceMs });
    const say = (answer: string) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => say("takes connections"));
    socket.once("timeout", () => say("does not answer"));
    socket.once("error", (error) => say(notThere(error)));
  });
}

function notThere(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return `not there (${systemReason(cause)})`;
}
