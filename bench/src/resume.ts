/** How long a worker's start takes when it knows the model, and which part takes how much. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { tensorflowEnvironment } from "@pretrain/tensorflow-native/environment";
import type { Config } from "./protocol.ts";
import { median } from "./statistics.ts";

export interface PartOfStart {
  readonly name: string;
  readonly seconds: number;
}

export interface Resumption {
  /** Medians over the rounds. */
  readonly parts: readonly PartOfStart[];
  /** Median, from the start of the process to the end of its first optimizer step. */
  readonly seconds_to_first_step: number;
}

const program = fileURLToPath(new URL("contenders/resume.ts", import.meta.url));
const patienceMs = 15 * 60_000;

/** One start that traces and leaves a state, then `rounds` that find both. */
export async function resume(config: Config, rounds: number): Promise<Resumption> {
  const folder = mkdtempSync(join(tmpdir(), "pretrain-resume-"));
  try {
    await start(config, folder);
    const starts: PartOfStart[][] = [];
    for (let round = 0; round < rounds; round += 1) starts.push(await start(config, folder));
    return resumption(starts);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param starts of each round its parts, the same in each; the last one comes after the first step */
export function resumption(starts: readonly (readonly PartOfStart[])[]): Resumption {
  const names = starts[0]?.map(({ name }) => name) ?? [];
  const parts = names.map((name, index) => ({
    name,
    seconds: median(starts.map((parts) => parts[index]?.seconds ?? Number.NaN)),
  }));
  const untilFirstStep = starts.map((each) => each.slice(0, -1).reduce((sum, { seconds }) => sum + seconds, 0));
  return { parts, seconds_to_first_step: median(untilFirstStep) };
}

/** Shares are of the time to the first step. */
export function resumptionTable({ parts, seconds_to_first_step: total }: Resumption): string {
  const line = (name: string, seconds: number) =>
    `${name.padEnd(56)} ${seconds.toFixed(3).padStart(7)} s  ${((100 * seconds) / total).toFixed(0).padStart(3)} %`;
  return [...parts.map(({ name, seconds }) => line(name, seconds)), line("to the end of the first step", total)].join(
    "\n",
  );
}

async function start(config: Config, folder: string): Promise<PartOfStart[]> {
  const environment = { ...process.env, ...tensorflowEnvironment({ threads: config.threads }) };
  const given = { env: environment, timeout: patienceMs, maxBuffer: 2 ** 20 };
  const { stdout } = await promisify(execFile)(process.execPath, [program, JSON.stringify({ config, folder })], given);
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
}
