/** Tries one parser with many inputs, in processes that may die: one that does is replaced, and the input it died of is a finding. */
import { once } from "node:events";
import type { Finding } from "./findings.ts";
import { startChild } from "./start-child.ts";

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
  /** Without any progress, 120 s if not given: the machine may be busy. */
  readonly silenceMs?: number;
}

/** A parser with more faults than that has one fault that shows often. */
const findingsLimit = 20;
/** Behind the last sign of life: which of them it was is found by running them again. */
const passedOver = 500;

/** Stops early when there are many findings. */
export async function tryParser(options: TrialOptions): Promise<Trial> {
  const { parser, file, inputs, seed, silenceMs = 120_000 } = options;
  const startedMs = performance.now();
  const trial = { refused: 0, slowestMs: 0, heapBytes: 0, rssBytes: 0 };
  const findings: Finding[] = [];
  let next = 0;
  while (next < inputs && findings.length < findingsLimit) {
    let refused = 0;
    const child = startChild({ files: [file], seed, first: next, end: inputs }, (progress) => {
      watch.refresh();
      ({ next, refused } = progress);
      findings.push(...progress.findings);
      trial.slowestMs = Math.max(trial.slowestMs, progress.slowestMs);
      trial.heapBytes = Math.max(trial.heapBytes, progress.heapBytes);
      trial.rssBytes = Math.max(trial.rssBytes, progress.rssBytes);
      if (findings.length >= findingsLimit) child.process.kill("SIGKILL");
    });
    const watch = setTimeout(() => child.process.kill("SIGKILL"), silenceMs);
    const [code, signal] = await once(child.process, "close");
    clearTimeout(watch);
    trial.refused += refused;
    if (code === 0 || findings.length >= findingsLimit) continue;
    const what = `${signal ?? `exit ${code}`} behind input ${next}: ${child.lastWords()}`;
    findings.push({ kind: "ended", input: next, what });
    next += passedOver;
  }
  return {
    parser,
    inputs: Math.min(next, inputs),
    findings,
    seconds: (performance.now() - startedMs) / 1000,
    ...trial,
  };
}
