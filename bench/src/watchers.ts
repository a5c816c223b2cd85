/** What many watchers of one experiment cost its training: its steps without them and with them, in one run of the whole system. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startLocalSystem } from "@pretrain/cli";
import { TrainerService } from "@pretrain/proto";
import { connectClient } from "@pretrain/rpc";
import { collectSteps, recipeOf, type Span, writeTexts } from "./beside.ts";
import { median } from "./statistics.ts";

export interface WatchersFigures {
  readonly watchers: number;
  /** Medians, without watchers before and behind, and with them. */
  readonly step_seconds_alone: number;
  readonly step_seconds_watched: number;
  readonly steps_alone: number;
  readonly steps_watched: number;
  /** Steps that the watcher with the fewest got, of those that were stored while all were watching. */
  readonly fewest_steps_seen: number;
}

const seconds = 40;
const options = { model: "small", niceness: 10, threads: 0, saveInterval: 10_000, rows: 8, validationRows: 8 } as const;

export function readWatchersOptions(parameters: readonly string[]): { readonly watchers: number } {
  const { values } = parseArgs({ args: [...parameters], options: { watchers: { type: "string", default: "500" } } });
  const watchers = Number(values.watchers);
  if (Number.isInteger(watchers) && watchers >= 1 && watchers <= 1000) return { watchers };
  throw new RangeError(`--watchers is ${values.watchers}; it must be a whole number from 1 to 1000`);
}

export async function watchers(count: number, tell: (line: string) => void): Promise<WatchersFigures> {
  const folder = mkdtempSync(join(tmpdir(), "pretrain-watchers-"));
  await using running = new AsyncDisposableStack();
  running.defer(() => rmSync(folder, { recursive: true, force: true }));
  writeTexts(folder, options);
  const stateDirectory = join(folder, "state");
  const system = running.use(await startLocalSystem({ stateDirectory, dataRoots: [folder], ports: "free" }));
  const steps: Span[] = [];
  running.use(await collectSteps(system, steps));
  const trainer = running.use(connectClient(TrainerService, system.addresses.trainer));
  const { name } = await trainer.startExperiment({ experimentId: "watched", recipe: recipeOf(options) });
  while (steps.length < 10) await pause(500); // the first ones trace
  const alone = await during(steps, tell, "nobody watches");
  const child = await startWatchers(system.addresses.report, name, count);
  running.defer(() => void child.kill());
  const watched = await during(steps, tell, `${count} watch`);
  const seen = await fewestSeen(child);
  child.kill();
  alone.push(...(await during(steps, tell, "nobody watches")));
  await trainer.cancelExperiment({ name });
  return {
    watchers: count,
    step_seconds_alone: median(alone),
    step_seconds_watched: median(watched),
    steps_alone: alone.length,
    steps_watched: watched.length,
    fewest_steps_seen: seen,
  };
}

/** Times of the steps of a while. */
async function during(steps: readonly Span[], tell: (line: string) => void, what: string): Promise<number[]> {
  const from = steps.length;
  await pause(1000 * seconds);
  tell(`${what}: ${steps.length - from} steps`);
  return steps.slice(from).map(({ beginMs, endMs }) => (endMs - beginMs) / 1000);
}

async function startWatchers(report: string, experiment: string, count: number): Promise<ChildProcess> {
  const program = fileURLToPath(new URL("./watchers-child.ts", import.meta.url));
  const child = fork(program, [report, experiment, String(count)]);
  await once(child, "message"); // all of them are watching
  return child;
}

async function fewestSeen(child: ChildProcess): Promise<number> {
  child.send("counts");
  const [{ counts }] = await once(child, "message");
  return Math.min(...(counts as number[]));
}

export function watchersTable(found: WatchersFigures): string {
  const ratio = (found.step_seconds_watched / found.step_seconds_alone).toFixed(2);
  return [
    `a step alone                 ${found.step_seconds_alone.toFixed(3)} s (median of ${found.steps_alone})`,
    `a step with ${String(found.watchers).padStart(4)} watchers   ${found.step_seconds_watched.toFixed(3)} s (median of ${found.steps_watched}), ${ratio} times`,
    `fewest steps that one saw    ${found.fewest_steps_seen}`,
  ].join("\n");
}
