/** Tries one parser with many inputs, in processes that may die: one that does is replaced, and the input it died of is a finding. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Progress } from "./child.ts";
import type { Finding } from "./findings.ts";

export interface Trial {
  readonly parser: string;
  readonly inputs: number;
  readonly refused: number;
  readonly findings: readonly Finding[];
  readonly seconds: number;
  readonly slowestMs: number;
  readonly heapBytes: number;
  readonly rssBytes: number;
}

export interface TrialOptions {
  readonly parser: string;
  readonly file: string;
  readonly inputs: number;
  readonly seed: string;
}

const heapMiB = 256;
/** Without any progress; the machine may be busy, so that a hang is told by the processor's time first. */
const silenceMs = 120_000;
/** A parser with more faults than that has one fault that shows often. */
const findingsLimit = 20;

/** Stops early when there are many findings. */
export async function tryParser({ parser, file, inputs, seed }: TrialOptions): Promise<Trial> {
  const startedMs = performance.now();
  const trial = { refused: 0, slowestMs: 0, heapBytes: 0, rssBytes: 0 };
  const findings: Finding[] = [];
  let next = 0;
  while (next < inputs && findings.length < findingsLimit) {
    let refusedHere = 0;
    const child = fork(join(import.meta.dirname, "child.ts"), [file, seed, `${next}`, `${inputs - next}`], {
      execArgv: [`--max-old-space-size=${heapMiB}`],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    const said = lastWords(child);
    const watch = setTimeout(() => child.kill("SIGKILL"), silenceMs);
    child.on("message", (message: Progress) => {
      watch.refresh();
      next = message.tried;
      findings.push(...message.findings);
      refusedHere = message.refused;
      trial.slowestMs = Math.max(trial.slowestMs, message.slowestMs);
      trial.heapBytes = Math.max(trial.heapBytes, message.heapBytes);
      trial.rssBytes = Math.max(trial.rssBytes, message.rssBytes);
      if (findings.length >= findingsLimit) child.kill("SIGKILL");
    });
    const [code, signal] = await once(child, "close");
    clearTimeout(watch);
    trial.refused += refusedHere;
    if (code === 0 || findings.length >= findingsLimit) continue;
    findings.push({ kind: "ended", input: next, what: `${signal ?? `exit ${code}`} behind input ${next}: ${said()}` });
    next += 1000; // which of them it was is found by running them again
  }
  return {
    parser,
    inputs: Math.min(next, inputs),
    findings,
    seconds: (performance.now() - startedMs) / 1000,
    ...trial,
  };
}

function lastWords(child: ChildProcess): () => string {
  let text = "";
  child.stderr?.on("data", (piece: Buffer) => {
    text = (text + piece.toString()).slice(0, 2000);
  });
  return () => text.replaceAll(/\s+/g, " ").slice(0, 600);
}
