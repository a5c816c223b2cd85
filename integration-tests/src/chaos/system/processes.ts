/** The processes that belong to one system: whoever has its folder in the environment or on the command line. */
import { readdirSync, readFileSync } from "node:fs";

/** What a process is, by the program that it runs. */
export const roles = {
  "data-shard": "/services/data-shard/src/main.ts",
  trainer: "/services/trainer/src/main.ts",
  "trainer-worker": "/services/trainer/src/worker-main.ts",
  "trainer-child": "/services/trainer/src/worker/main.ts",
  evaluator: "/services/evaluator/src/main.ts",
  "evaluator-worker": "/services/evaluator/src/attempt/main.ts",
  "evaluator-child": "/services/evaluator/src/worker/main.ts",
  report: "/services/report/src/main.ts",
  broker: "/nats-server",
} as const;

export type Role = keyof typeof roles;

export interface RunningProcess {
  readonly pid: number;
  readonly command: string;
}

/**
 * Everything that runs for the system in `folder`, whoever its parent is by now. A process that computes is told nothing of
 * that folder, so it is known by the worker that started it. Zombies are not counted.
 */
export function processesOf(folder: string): RunningProcess[] {
  const all = readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .map((entry) => ({ pid: Number(entry), command: textOf(entry, "cmdline").replaceAll("\0", " ").trim() }))
    .filter(({ command }) => command !== "");
  const named = all.filter(
    ({ pid, command }) => command.includes(folder) || textOf(String(pid), "environ").includes(folder),
  );
  const pids = new Set(named.map(({ pid }) => pid));
  return all.filter(({ pid }) => pids.has(pid) || pids.has(parentOf(pid)));
}

/** Ids of those that play `role` for the system in `folder`. */
export function pidsOf(folder: string, role: Role): number[] {
  const program = roles[role];
  return processesOf(folder).flatMap(({ pid, command }) =>
    command.split(" ").some((word) => word.endsWith(program)) ? [pid] : [],
  );
}

/** The process and those above it, as far as they live; none for a process that is gone. */
export function lineOf(pid: number): number[] {
  const parent = parentOf(pid);
  return parent <= 1 ? [] : [pid, ...lineOf(parent)];
}

/** 0 when it has gone. */
function parentOf(pid: number): number {
  return Number(/\nPPid:\s*(\d+)/.exec(textOf(String(pid), "status"))?.[1] ?? 0);
}

/** Empty when the process has gone meanwhile, is a zombie, or is somebody else's. */
function textOf(entry: string, file: "cmdline" | "environ" | "status"): string {
  try {
    return readFileSync(`/proc/${entry}/${file}`, "latin1");
  } catch {
    return "";
  }
}
