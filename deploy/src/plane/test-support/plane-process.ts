/** One program of the control plane as a child process, which ends with this one, however that ends. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { Unavailable } from "@pretrain/errors";
import { until } from "@pretrain/testing";
import { type ToolName, toolPath } from "../../tools/index.ts";

export interface PlaneProcess extends AsyncDisposable {
  /** Waits for a condition that it brings about. @throws Unavailable, with its last words, when it ends before that */
  ready(condition: () => Promise<boolean>): Promise<void>;
}

export function startPlaneProcess(name: ToolName, parameters: readonly string[]): PlaneProcess {
  const command = ["--pdeathsig", "KILL", toolPath(name), ...parameters]; // what it keeps is thrown away in any case
  const child = spawn("setpriv", command, { stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      printed = (printed + text).slice(-4000);
    });
  }
  const ended = new Promise<never>((_, reject) => {
    child.once("error", reject);
    child.once("close", () => {
      const lastWords = printed.trim().split("\n").slice(-5).join(" | ");
      reject(new Unavailable("PLANE_PROCESS_ENDED", `${name} ended; its last words: ${lastWords}`, { name }));
    });
  });
  ended.catch(() => {}); // who waits for it hears of it
  return {
    ready: async (condition) => void (await Promise.race([until(condition, { timeoutMs: readyLimitMs }), ended])),
    [Symbol.asyncDispose]: () => end(child),
  };
}

/** A busy machine takes ten times as long as a quiet one. */
const readyLimitMs = 180_000;

/** Asked first: an API server says goodbye to its store. It is not waited for long: nothing of it is kept. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, "close");
  child.kill("SIGTERM");
  const kill = setTimeout(() => child.kill("SIGKILL"), 3000);
  await closed;
  clearTimeout(kill);
}
