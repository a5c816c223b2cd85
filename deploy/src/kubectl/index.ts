/** kubectl, asked as a person at a terminal asks: whoever runs it is who it says to the cluster. */
import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { text } from "node:stream/consumers";
import { FailedPrecondition } from "@pretrain/errors";
import { toolPath, whyNoTools } from "../tools/index.ts";

export interface Answer {
  readonly code: number | null;
  readonly stdout: string;
  /** Also where `Warning:` lines are. */
  readonly stderr: string;
}

export interface Kubectl {
  /** Whatever it answers. @param manifests given to its standard input, for `-f -` */
  ask(parameters: readonly string[], manifests?: string): Promise<Answer>;
  /** @returns what it printed. @throws FailedPrecondition with its own words when it says no */
  run(parameters: readonly string[], manifests?: string): Promise<string>;
}

/** @param options before every verb: `--context=…`, for one */
export function createKubectl(program: string, options: readonly string[]): Kubectl {
  const ask = async (parameters: readonly string[], manifests = ""): Promise<Answer> => {
    const child = spawn(program, [...options, ...parameters], { stdio: ["pipe", "pipe", "pipe"] });
    child.stdin.on("error", () => {}); // it may have ended without reading all
    child.stdin.end(manifests);
    const closed = new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    const [code, stdout, stderr] = await Promise.all([closed, text(child.stdout), text(child.stderr)]);
    return { code, stdout, stderr };
  };
  return {
    ask,
    async run(parameters, manifests) {
      const { code, stdout, stderr } = await ask(parameters, manifests);
      if (code === 0) return stdout;
      const asked = `kubectl ${parameters.join(" ")}`;
      throw new FailedPrecondition("KUBECTL_FAILED", `${asked}: ${stderr.trim().slice(0, 4000)}`, { asked });
    },
  };
}

/**
 * The kubectl of this machine, or else the one that the tools are built with.
 *
 * @throws FailedPrecondition where there is neither
 */
export function installedKubectl(): string {
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  const found = folders.map((folder) => join(folder, "kubectl")).find(isExecutable);
  if (found !== undefined) return found;
  if (whyNoTools("kubectl") === false) return toolPath("kubectl");
  const message =
    "there is no `kubectl` in PATH, which speaks with the cluster; install it, or run `node deploy/src/tools/main.ts kubectl`";
  throw new FailedPrecondition("KUBECTL_MISSING", message);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
