/** Test support: the report service as the process that it is, with a real broker. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

export interface ServiceProcess {
  readonly child: ChildProcess;
  /** `host:port` of gRPC and of the page. */
  readonly grpc: string;
  readonly http: string;
  readonly ledger: string;
}

interface Scope {
  after(cleanUp: () => Promise<void>): void;
}

const mainModule = join(import.meta.dirname, "../main.ts");

/** What the service is told; its files lie in `folder`. */
export function serviceEnvironment(natsUrl: string, folder: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env["PATH"],
    PRETRAIN_NATS_URL: natsUrl,
    PRETRAIN_GRPC_ADDRESS: "127.0.0.1:0",
    PRETRAIN_HTTP_ADDRESS: "127.0.0.1:0",
    PRETRAIN_STATE: join(folder, "state"),
    PRETRAIN_BLOBS: pathToFileURL(join(folder, "blobs")).href,
  };
}

/** Resolves when it says that it serves. */
export async function startService(t: Scope, environment: NodeJS.ProcessEnv): Promise<ServiceProcess> {
  const child = spawn(process.execPath, [mainModule], { env: environment, stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => endService(child, "SIGKILL").then(() => undefined));
  for await (const line of createInterface({ input: child.stdout })) {
    const { msg, grpc, http, ledger } = JSON.parse(line);
    if (msg === "serving") {
      child.stdout.resume(); // a full pipe would stop it
      return { child, grpc, http, ledger };
    }
  }
  throw new Error(`the service ended with ${child.exitCode ?? child.signalCode} before it served`);
}

/** The exit code and the lines of a service that ends by itself. */
export async function runToEnd(
  environment: NodeJS.ProcessEnv,
): Promise<{ readonly code: number; readonly output: string }> {
  const child = spawn(process.execPath, [mainModule], { env: environment, stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  const [code] = await once(child, "close");
  assert.ok(typeof code === "number");
  return { code, output };
}

/** @returns the exit code; null when a signal ended it */
export async function endService(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const closed = once(child, "exit");
    child.kill(signal);
    await closed;
  }
  return child.exitCode;
}
