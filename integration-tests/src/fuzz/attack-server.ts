/** Attacks a server over HTTP/2 while somebody else calls it: it must live, keep its memory, and answer. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { health } from "@pretrain/proto";
import { connectClient } from "@pretrain/rpc";

export interface Outcome {
  readonly attack: string;
  readonly sentBytes: number;
  /** Calls of the other caller, while it was attacked. */
  readonly answered: number;
  readonly failed: readonly string[];
  readonly slowestMs: number;
  /** Of the server, behind the attack; 0 when it is dead. */
  readonly rssBytes: number;
}

const heapMiB = 128;
/** Between two calls of the other caller. */
const callEveryMs = 20;

/** One after the other, at one server. @param durationMs of each   @throws Error when the server does not start */
export async function* attackServer(names: readonly string[], durationMs: number): AsyncGenerator<Outcome> {
  const server = start("http2-server.ts");
  try {
    const [address] = (await once(server, "message")) as [string];
    for (const attack of names) yield await attackOnce(server.pid ?? 0, address, attack, durationMs);
  } finally {
    server.kill("SIGKILL");
  }
}

async function attackOnce(pid: number, address: string, attack: string, durationMs: number): Promise<Outcome> {
  const attacker = start("http2-attacker.ts", address, attack, `${durationMs}`);
  const said = once(attacker, "message") as Promise<[number]>;
  const over = AbortSignal.any([AbortSignal.timeout(10 * durationMs), aborted(once(attacker, "exit"))]);
  const caller = await callUntil(address, over);
  const [sentBytes] = await Promise.race([said, Promise.resolve([0] as const)]);
  return { attack, sentBytes, ...caller, rssBytes: rssOf(pid) };
}

function start(file: string, ...words: readonly string[]): ChildProcess {
  return fork(join(import.meta.dirname, file), words, { execArgv: [`--max-old-space-size=${heapMiB}`] });
}

function aborted(when: Promise<unknown>): AbortSignal {
  const controller = new AbortController();
  void when.then(() => controller.abort());
  return controller.signal;
}

/** Each call alone, over one connection, as a service calls another. */
async function callUntil(
  address: string,
  over: AbortSignal,
): Promise<Pick<Outcome, "answered" | "failed" | "slowestMs">> {
  using client = connectClient(health.Health, address);
  const failed: string[] = [];
  let [answered, slowestMs] = [0, 0];
  while (!over.aborted) {
    const begunMs = performance.now();
    try {
      await client.check({ service: "" }, { timeoutMs: 30_000 });
      answered += 1;
    } catch (error) {
      failed.push(String(error));
    }
    slowestMs = Math.max(slowestMs, performance.now() - begunMs);
    await pause(callEveryMs);
  }
  return { answered, failed, slowestMs };
}

function rssOf(pid: number): number {
  try {
    const [, kib = "0"] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return 1024 * Number(kib);
  } catch {
    return 0; // it is gone
  }
}
