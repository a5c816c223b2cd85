/**
 * What can be done to the system, by name. Each fault strikes, lasts if it is one that lasts, and is taken back before it
 * resolves; what it killed is started again by whoever keeps it running. It says whether it struck: a process that is not
 * there cannot be killed.
 */
import { cp, rm } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { until } from "@pretrain/testing";
import { damageNewestCheckpoint } from "./damage.ts";
import type { Trial } from "./experiments-on-trial.ts";
import { fork, moreUrgent, pauseAndResume } from "./orders.ts";
import type { Round } from "./plan.ts";
import { fillDisk } from "./system/ballast.ts";
import { type ChaosSystem, leaseTtlMs } from "./system/chaos-system.ts";
import { lineOf, type Role } from "./system/processes.ts";
import type { Wire } from "./system/wire.ts";

export interface Field {
  readonly system: ChaosSystem;
  readonly wire: Wire;
  /** The experiment that runs, or is about to. */
  readonly trial: Trial;
  /** Takes an experiment among those that are judged. */
  readonly add: (trial: Trial) => void;
  /** Notes that the broker has forgotten something of every experiment there is. */
  readonly rollBack: () => void;
  /** Resolves when everything that the broker has acknowledged is in the ledger. */
  readonly recorded: () => Promise<void>;
}

export type Fault = (field: Field, round: Round) => Promise<boolean>;

/** A process that is just being started again is waited for so long. */
const absentMs = 10_000;
const exitLimitMs = 60_000;
const hourSeconds = 3_600;
/** From any date of this century to the one after which 32-bit seconds are negative. */
const secondsTo2038 = Math.ceil((Date.UTC(2038, 1, 1) - Date.now()) / 1000);

export const faults = {
  "kill-trainer": kill("trainer"),
  "kill-trainer-worker": kill("trainer-worker"),
  "kill-trainer-child": kill("trainer-child"),
  "kill-evaluator": kill("evaluator"),
  "kill-evaluator-worker": kill("evaluator-worker"),
  "kill-evaluator-child": kill("evaluator-child"),
  "kill-report": kill("report"),
  "kill-data-shard": kill("data-shard"),
  "kill-broker": async ({ system }) => (await system.restartBroker("SIGKILL"), true),
  "kill-everything": async ({ system }) => {
    for (const { pid } of system.processes()) killed(pid);
    await system.restartBroker("SIGKILL");
    return true;
  },
  "stop-trainer": end("trainer"),
  "stop-trainer-worker": end("trainer-worker"),
  "stop-evaluator": end("evaluator"),
  "stop-report": end("report"),
  "stop-data-shard": end("data-shard"),
  "stop-broker": async ({ system }) => (await system.restartBroker("SIGTERM"), true),
  "pause-trainer-child": freeze("trainer-child"),
  "pause-trainer-worker": freeze("trainer-worker"),
  // Long enough for its lease to run out and another worker to take over; then it wakes up and knows nothing of it.
  "pause-trainer-worker-beyond-lease": freeze("trainer-worker", 2 * leaseTtlMs),
  "pause-evaluator-worker-beyond-lease": freeze("evaluator-worker", 2 * leaseTtlMs),
  "pause-report": freeze("report"),
  "pause-data-shard": freeze("data-shard"),
  "pause-broker": freeze("broker"),
  "cut-broker": async ({ system: { proxies } }, { place, lastingMs }) => {
    proxies.broker.cutAfter(Math.floor(place * 8192));
    await pause(lastingMs);
    proxies.broker.heal();
    return true;
  },
  "orphan-broker": proxied("broker", (proxy) => proxy.orphan()),
  "delay-broker": proxied("broker", (proxy) => (proxy.delayMs = 30)),
  "hole-broker": proxied("broker", (proxy) => proxy.hole()),
  "cut-data-shard": async ({ system: { proxies } }, { place, lastingMs }) => {
    proxies.dataShard.cutAfter(Math.floor(place * 65_536));
    await pause(lastingMs);
    proxies.dataShard.heal();
    return true;
  },
  "hole-data-shard": proxied("dataShard", (proxy) => proxy.hole()),
  "restore-broker": restoreOlderDisk,
  "damage-checkpoint": damageCheckpoint,
  "full-disk": async ({ system }, { lastingMs }) => {
    await using filled = await fillDisk(system.state);
    await pause(lastingMs);
    return filled.isFull;
  },
  "clock-ahead": clock(hourSeconds),
  "clock-back": clock(-hourSeconds),
  "clock-2038": clock(secondsTo2038),
  "order-pause": pauseAndResume,
  "order-urgent": moreUrgent,
  "order-fork": fork,
} as const satisfies Record<string, Fault>;

export type FaultName = keyof typeof faults;

/** All names that `wanted` names: itself, or as the first word of several (`kill` is every `kill-…`). */
export function faultNames(wanted: readonly string[]): FaultName[] {
  const all = Object.keys(faults) as FaultName[];
  return all.filter((name) => wanted.some((word) => name === word || name.startsWith(`${word}-`)));
}

function kill(role: Role): Fault {
  return async (field) => (await strike(field, role, "SIGKILL")).length > 0;
}

/** Asked to end, it does so by itself; a worker that trains keeps what it has done. */
function end(role: Role): Fault {
  return async (field) => {
    const { system, wire, trial } = field;
    const training = wire.runningAttempt(trial.id);
    if (training !== undefined && role.startsWith("trainer")) trial.drained.add(training);
    const asked = await strike(field, role, "SIGTERM");
    await until(() => !system.processes().some(({ pid }) => asked.includes(pid)), { timeoutMs: exitLimitMs });
    return asked.length > 0;
  };
}

function freeze(role: Role, longerMs = 0): Fault {
  return async (field, { lastingMs }) => {
    const frozen = await strike(field, role, "SIGSTOP");
    if (frozen.length === 0) return false;
    await pause(lastingMs + longerMs);
    field.system.signal(frozen, "SIGCONT");
    return true;
  };
}

function proxied(
  between: keyof ChaosSystem["proxies"],
  strikeAt: (proxy: ChaosSystem["proxies"]["broker"]) => unknown,
): Fault {
  return async ({ system }, { lastingMs }) => {
    strikeAt(system.proxies[between]);
    await pause(lastingMs);
    system.proxies[between].heal();
    return true;
  };
}

function clock(seconds: number): Fault {
  return async ({ system }, { lastingMs, place }) => {
    const services = ["trainer", "evaluator", "report", "data-shard"] as const;
    const service = services[Math.floor(place * services.length)] ?? "trainer";
    await system.setClock(service, seconds);
    await pause(lastingMs);
    await system.setClock(service, 0);
    return true;
  };
}

/** One bit of the newest checkpoint flips, and the next attempt would go on from it. */
async function damageCheckpoint(field: Field, { place }: Round): Promise<boolean> {
  const { system, trial } = field;
  try {
    const damage = () => damageNewestCheckpoint(system.state, trial.id, place);
    trial.damaged.add(await until(damage, { timeoutMs: absentMs }));
  } catch {
    return false; // there was none
  }
  return (await strike(field, "trainer-child", "SIGKILL")).length > 0;
}

/**
 * The broker comes back with what it had some events ago. What the ledger has by then is promised to stay; so everybody who
 * publishes is held still until the ledger has all of it.
 */
async function restoreOlderDisk(
  { system, wire, trial, rollBack, recorded }: Field,
  { afterEvents }: Round,
): Promise<boolean> {
  const copy = await system.copyBrokerDisk();
  await wire.listen(system.brokerUrl);
  const limit = AbortSignal.timeout(20_000); // the experiment may be over
  for (let heard = 0; heard < afterEvents && !limit.aborted; heard += 1)
    await wire.next(({ experiment }) => experiment === trial.id, limit).catch(() => undefined);
  const publishers = ["trainer", "trainer-worker", "evaluator", "evaluator-worker"] as const;
  const held = publishers.flatMap((role) => system.pids(role));
  system.signal(held, "SIGSTOP");
  await recorded();
  rollBack();
  await system.restartBroker("SIGKILL", async (store) => {
    await rm(store, { recursive: true });
    await cp(copy, store, { recursive: true });
  });
  system.signal(held, "SIGCONT");
  return true;
}

/** @returns whom the signal has reached: nobody, when the role is not played even after a while */
async function strike(field: Field, role: Role, signal: NodeJS.Signals): Promise<number[]> {
  try {
    const found = () => (players(field, role).length > 0 ? players(field, role) : undefined);
    const pids = await until(found, { timeoutMs: absentMs });
    field.system.signal(pids, signal);
    return pids;
  } catch {
    return [];
  }
}

/** Who plays the role for the experiment; everybody who plays it, when nobody does for this one. */
function players({ system, wire, trial }: Field, role: Role): number[] {
  const all = system.pids(role);
  const computing = wire.computingProcess(trial.id);
  const line = computing === undefined ? [] : lineOf(computing);
  const own = all.filter((pid) => line.includes(pid));
  return own.length > 0 ? own : all;
}

function killed(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // it has ended by itself meanwhile
  }
}
