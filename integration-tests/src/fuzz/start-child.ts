/** Starts a process that tries parsers, with little memory. */
import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import type { ChildProgress } from "./child.ts";

const heapMiB = 256;

export interface ChildTask {
  readonly files: readonly string[];
  readonly seed: string;
  /** Number of the first input, and of the one behind the last. */
  readonly first: number;
  readonly end: number;
  /** Of the processor's time, for each parser. */
  readonly limitMs?: number;
}

export interface TryingChild {
  readonly process: ChildProcess;
  /** What it has written to its standard error. */
  readonly lastWords: () => string;
}

export function startChild(
  { files, seed, first, end, limitMs = Number.POSITIVE_INFINITY }: ChildTask,
  onProgress: (progress: ChildProgress) => void,
): TryingChild {
  const words = [seed, `${first}`, `${end}`, `${limitMs}`, ...files];
  const child = fork(join(import.meta.dirname, "child.ts"), words, {
    execArgv: [`--max-old-space-size=${heapMiB}`],
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  child.on("message", onProgress);
  let text = "";
  child.stderr?.on("data", (piece: Buffer) => {
    text = (text + piece.toString()).slice(0, 2000);
  });
  return { process: child, lastWords: () => text.replaceAll(/\s+/g, " ").slice(0, 600) };
}
