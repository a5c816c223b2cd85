/** One service as a child process: its log in a file, its death noticed, its end asked for politely and then enforced. */
import { type ChildProcess, spawn } from "node:child_process";
import { open, readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Unavailable } from "@pretrain/errors";
import { health } from "@pretrain/proto";
import { connectClient } from "@pretrain/rpc";
import { channelVariable } from "@pretrain/worker-process";
import { moduleOf, type ServiceName } from "./services.ts";

const startLimitMs = 60_000;
const stopLimitMs = 30_000;

export interface ServiceProcess extends AsyncDisposable {
  readonly pid: number;
  readonly logFile: string;
  /** Resolves when the service says over gRPC that it serves. @throws Unavailable, with its last words. */
  serving(address: string): Promise<void>;
  /** Rejects when the service ends without having been asked to. Never resolves. */
  readonly failed: Promise<never>;
}

interface StartOptions {
  readonly name: ServiceName;
  readonly environment: Readonly<Record<string, string>>;
  readonly logFile: string;
  /** Of the authority that its certificate is of; undefined: it speaks no TLS. */
  readonly authorityFile?: string | undefined;
}

export async function startService(options: StartOptions): Promise<ServiceProcess> {
  const { name, environment, logFile, authorityFile } = options;
  await using log = await open(logFile, "a");
  const child = spawn(process.execPath, [fileURLToPath(moduleOf(name))], {
    env: { ...process.env, ...environment, [channelVariable]: String(process.pid) },
    stdio: ["ignore", log.fd, log.fd, "pipe"], // nothing is said over it: its end tells the service that this program is gone
    detached: true, // Ctrl-C in the terminal reaches this program only, which stops the services in order
  });
  const ended = endOf(child);
  const pid = child.pid ?? (await ended, 0); // without a pid `ended` rejects with the reason
  let asked = false;
  const failed = ended.then(async (how) => {
    if (asked) return new Promise<never>(() => {});
    throw new Unavailable(
      "SERVICE_ENDED",
      `${name} ended by itself (${how}). Its log, ${logFile}, ends with:\n${await lastLines(logFile)}`,
      { service: name },
    );
  });
  failed.catch(() => {}); // whoever waits for it hears of it; nobody has to
  const stop = async () => {
    asked = true;
    await endProcess(child, ended);
  };
  return {
    pid,
    logFile,
    failed,
    serving: (address) => serving({ name, address, failed, authorityFile }),
    [Symbol.asyncDispose]: stop,
  };
}

interface Starting {
  readonly name: ServiceName;
  readonly address: string;
  readonly failed: Promise<never>;
  readonly authorityFile: string | undefined;
}

async function serving({ name, address, failed, authorityFile }: Starting): Promise<void> {
  const tls = authorityFile && { material: { authority: await readFile(authorityFile, "utf8") } };
  using client = connectClient(health.Health, address, tls ? { tls } : {});
  const limit = AbortSignal.timeout(startLimitMs);
  while (!limit.aborted) {
    const answer = await Promise.race([client.check({}, { timeoutMs: 2000 }).catch(() => undefined), failed]);
    if (answer?.status === health.HealthCheckResponse_ServingStatus.SERVING) return;
    await Promise.race([delay(50), failed]);
  }
  throw new Unavailable(
    "SERVICE_NOT_SERVING",
    `${name} at ${address} does not say that it serves, after ${startLimitMs / 1000} s`,
    { service: name, address },
  );
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
  });
}

async function endProcess(child: ChildProcess, ended: Promise<string>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  const patience = new AbortController();
  const late = delay(stopLimitMs, "late", { signal: patience.signal }).catch(() => "in time");
  if ((await Promise.race([ended, late])) === "late") child.kill("SIGKILL");
  patience.abort();
  await ended;
}

async function lastLines(file: string): Promise<string> {
  const lines = (await readFile(file, "utf8")).trimEnd().split("\n");
  return lines
    .slice(-10)
    .map((line) => `  ${line}`)
    .join("\n");
}
