/** A network of its own for all pods together: loopback alone. What they listen on is seen by nobody else, and takes no port of others. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { FailedPrecondition } from "@pretrain/errors";

const run = promisify(execFile);
const name = "pretrain-local";

export interface LocalNetwork extends AsyncDisposable {
  /** For `podman --network ns:…`. */
  readonly path: string;
  /** Runs a program of this machine as if it were a pod, and returns what it prints on stdout. @throws its failure */
  run(program: string, words: readonly string[], environment?: Readonly<Record<string, string>>): Promise<string>;
}

/** @throws FailedPrecondition when somebody runs pods here already */
export async function openNetwork(): Promise<LocalNetwork> {
  const { stdout: known } = await run("ip", ["netns", "list"]);
  if (known.split("\n").some((line) => line.split(" ")[0] === name)) await removeAbandoned();
  await run("ip", ["netns", "add", name]);
  await run("ip", ["-n", name, "link", "set", "lo", "up"]);
  return {
    path: `/run/netns/${name}`,
    run: async (program, words, environment = {}) => {
      const env = { ...process.env, ...environment };
      return (await run("ip", ["netns", "exec", name, program, ...words], { env, maxBuffer: 64e6 })).stdout;
    },
    [Symbol.asyncDispose]: async () => void (await run("ip", ["netns", "delete", name])),
  };
}

/** Left by a run that was killed, unless something runs in it. */
async function removeAbandoned(): Promise<void> {
  const { stdout: processes } = await run("ip", ["netns", "pids", name]);
  if (processes.trim() === "") return void (await run("ip", ["netns", "delete", name]));
  const message = `pods run here already (processes ${processes.trim().split("\n").join(", ")}); end that run, or those processes, first`;
  throw new FailedPrecondition("PODS_RUN", message);
}
