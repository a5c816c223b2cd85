/** One run: all contenders are started and warmed up, then they take turns. */
import { fileURLToPath } from "node:url";
import { tensorflowEnvironment } from "@pretrain/tensorflow-native/environment";
import { alternate, unitsInRound } from "./alternate.ts";
import { Contender, ContenderFailed, type Program } from "./contender.ts";
import type { Entrant } from "./entrants.ts";
import { pythonProgram } from "./peers.ts";
import { busyTicks, ticksOfProcess } from "./processor-time.ts";
import type { Ready, Round } from "./protocol.ts";
import { configOf, type Work } from "./workload.ts";

export interface Measured {
  readonly entrant: Entrant;
  readonly ready: Ready;
  readonly rounds: readonly Round[];
  readonly peakRssMib: number;
}

export interface Failed {
  readonly entrant: Entrant;
  readonly reason: string;
}

export interface Measurement {
  readonly measured: readonly Measured[];
  readonly failed: readonly Failed[];
  /** Units of work in a round. */
  readonly units: number;
  /** Of the processor time used during the rounds, what was not the contender's whose turn it was. */
  readonly foreignLoad: number;
}

interface Started {
  readonly entrant: Entrant;
  readonly contender: Contender;
  readonly ready: Ready;
}

/** @param tell what happens, for a person who waits */
export async function measure(
  entrants: readonly Entrant[],
  work: Work,
  rounds: number,
  tell: (line: string) => void,
): Promise<Measurement> {
  await using processes = new AsyncDisposableStack();
  const started: Started[] = [];
  const failed: Failed[] = [];
  for (const entrant of entrants) {
    const begun = await start(entrant, work, processes);
    if ("reason" in begun) failed.push(begun);
    else started.push(begun);
    tell(
      "reason" in begun ? `${titled(entrant)}: ${begun.reason}` : `${titled(entrant)}: ready, ${begun.ready.version}`,
    );
  }
  const contenders = started.filter(({ entrant }) => entrant.side !== "machine");
  const units = contenders.length === 0 ? 1 : unitsInRound(contenders.map(({ ready }) => ready.seconds));
  const used = { all: 0, own: 0 };
  const results = await alternate(started, rounds, async ({ entrant, contender }) => {
    const [allBefore, ownBefore] = [busyTicks(), ticksOfProcess(contender.processId)];
    const round = await contender.run(entrant.side === "machine" ? 1 : units);
    used.all += busyTicks() - allBefore;
    used.own += ticksOfProcess(contender.processId) - ownBefore;
    tell(`${titled(entrant)}: ${described(round)}`);
    return round;
  });
  const foreignLoad = used.all === 0 ? 0 : Math.max(0, 1 - used.own / used.all);
  return { measured: await endAll(started, results), failed, units, foreignLoad };
}

async function start(entrant: Entrant, work: Work, processes: AsyncDisposableStack): Promise<Started | Failed> {
  const contender = processes.use(new Contender(programOf(entrant, work.threads)));
  try {
    const ready = await contender.prepare(configOf(work, entrant.precision, entrant.variant));
    return { entrant, contender, ready };
  } catch (error) {
    if (!(error instanceof ContenderFailed)) throw error;
    return { entrant, reason: error.message };
  }
}

function programOf({ program }: Entrant, threads: number): Program {
  const file = fileURLToPath(new URL(`../${program}`, import.meta.url));
  if (program.endsWith(".py")) return pythonProgram(file);
  const environment = { ...process.env, ...tensorflowEnvironment({ threads }) };
  return { file: process.execPath, parameters: [file], environment };
}

async function endAll(started: readonly Started[], results: readonly (readonly Round[])[]): Promise<Measured[]> {
  const measured: Measured[] = [];
  for (const [index, { entrant, contender, ready }] of started.entries()) {
    const { peak_rss_mib: peakRssMib } = await contender.end();
    measured.push({ entrant, ready, rounds: results[index] ?? [], peakRssMib });
  }
  return measured;
}

export function titled({ name, precision }: Entrant): string {
  return `${name} (${precision})`;
}

function described({ tokens, seconds, giga_per_second: speeds }: Round): string {
  if (speeds === undefined) return `${(tokens / seconds).toFixed(1)} tokens/s`;
  return `at most ${Math.max(...Object.values(speeds)).toFixed(0)} G/s`;
}
