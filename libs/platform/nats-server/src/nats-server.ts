/**
 * One nats-server as a child process: started, waited for, checked, stopped. It is in a process group of its own, so that
 * Ctrl-C reaches only the program that started it, which stops its services first and the broker last.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { Unavailable } from "@pretrain/errors";
import { freePort } from "@pretrain/free-ports";
import { expectFreePort, expectLoopback } from "./addresses.ts";
import { type Access, type ClusterMember, natsConfiguration } from "./configuration.ts";
import { endWithThisProcess } from "./end-with-this-process.ts";
import { expectInstalled, natsServerBinary } from "./install.ts";
import { type Addresses, readServerLog, type ServerLog } from "./server-log.ts";
import { expectSyncAlways } from "./sync-always.ts";

export interface NatsServerOptions {
  /** 0 takes a free one. */
  readonly port: number;
  /** Where the streams live; made if it is missing. No two servers may use the same one at once. */
  readonly storeDirectory: string;
  /** A loopback address, as the server asks nobody for a password. 127.0.0.1 by default. */
  readonly host?: string;
  /** Port of its monitoring pages (`/varz`, `/jsz`); a free one by default. */
  readonly monitoringPort?: number;
  /** Who may do what. Absent: everybody everything. */
  readonly access?: Access;
  /** Absent: it is alone. */
  readonly cluster?: ClusterMember;
  /** Called with each line of its log. */
  readonly onLogLine?: (line: string) => void;
}

export interface NatsServerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last lines of its log, oldest first. */
  readonly lastLines: readonly string[];
}

export interface NatsServer extends AsyncDisposable {
  /** `nats://127.0.0.1:4222` */
  readonly url: string;
  /** `http://127.0.0.1:8222` */
  readonly monitoringUrl: string;
  readonly pid: number;
  /** Ends the server and resolves when it is gone; after ten seconds it is killed. */
  stop(): Promise<NatsServerExit>;
  /** Resolves when the server has ended, for whatever reason. */
  readonly exited: Promise<NatsServerExit>;
}

type ServerProcess = ChildProcessByStdio<null, null, Readable>;

/**
 * Starts the server and resolves once it accepts clients and says itself that it syncs every message before it acknowledges.
 * If this process dies, however it dies, the server is ended.
 *
 * @throws InvalidArgument for a host that is not loopback; FailedPrecondition if a port is taken or the server does not sync;
 * Unavailable, with its last words, if it ends or is not ready within a minute. No server is left running then.
 */
export async function startNatsServer(options: NatsServerOptions): Promise<NatsServer> {
  const { host = "127.0.0.1", monitoringPort = 0, access, cluster, onLogLine } = options;
  expectInstalled();
  expectLoopback(host);
  // Not one that the server takes by itself: started again, it must find its port as it left it.
  const port = options.port || (await freePort());
  // Not left to the server: it opens the streams before it finds the port taken, perhaps by the server that is writing them.
  await Promise.all([port, monitoringPort].map((wanted) => expectFreePort(host, wanted)));
  const storeDirectory = resolve(options.storeDirectory);
  await mkdir(storeDirectory, { recursive: true });
  const file = join(storeDirectory, "nats-server.conf");
  await writeFile(file, natsConfiguration({ host, port, monitoringPort, storeDirectory, access, cluster }));
  const child = spawn(natsServerBinary, ["-c", file], { stdio: ["ignore", "ignore", "pipe"], detached: true });
  return readyServer(child, onLogLine);
}

async function readyServer(child: ServerProcess, onLogLine?: (line: string) => void): Promise<NatsServer> {
  const log = readServerLog(child.stderr, onLogLine);
  const exited = exitOf(child, log);
  const pid = child.pid ?? (await exited, 0); // without a pid `exited` rejects with the reason
  endWithThisProcess(pid, exited);
  try {
    const { url, monitoringUrl } = await readyOrFailed(log, exited);
    await expectSyncAlways(monitoringUrl);
    const stop = () => stopServer(child, exited);
    return { url, monitoringUrl, pid, exited, stop, [Symbol.asyncDispose]: async () => void (await stop()) };
  } catch (error) {
    child.kill("SIGKILL");
    await exited; // so that its port and its files are free when the caller hears of it
    throw error;
  }
}

async function readyOrFailed(log: ServerLog, exited: Promise<NatsServerExit>): Promise<Addresses> {
  const limit = new AbortController();
  try {
    const tooLate = delay(readyLimitMs, `is not ready after ${readyLimitMs / 1000} s`, { signal: limit.signal });
    const first = await Promise.race([log.ready, exited.then(() => "ended while it started"), tooLate]);
    if (typeof first !== "string") return first;
    const lastWords = log.lastLines().slice(-3).join(" | ");
    throw new Unavailable("NATS_SERVER_FAILED", `nats-server ${first}; its last words: ${lastWords}`, { lastWords });
  } finally {
    limit.abort();
  }
}

/** Large streams are read through at the start. */
const readyLimitMs = 60_000;

function exitOf(child: ServerProcess, log: ServerLog): Promise<NatsServerExit> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal, lastLines: log.lastLines() }));
  });
}

async function stopServer(child: ServerProcess, exited: Promise<NatsServerExit>): Promise<NatsServerExit> {
  child.kill("SIGTERM");
  const kill = setTimeout(() => child.kill("SIGKILL"), 10_000);
  try {
    return await exited;
  } finally {
    clearTimeout(kill);
  }
}
